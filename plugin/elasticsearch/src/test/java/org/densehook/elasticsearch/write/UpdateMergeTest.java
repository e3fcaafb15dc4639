package org.densehook.elasticsearch.write;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.elasticsearch.action.DocWriteRequest.OpType;
import org.elasticsearch.action.DocWriteResponse;
import org.elasticsearch.action.get.GetResponse;
import org.elasticsearch.action.index.IndexRequest;
import org.elasticsearch.action.update.UpdateRequest;
import org.elasticsearch.common.bytes.BytesArray;
import org.elasticsearch.common.document.DocumentField;
import org.elasticsearch.index.engine.DocumentMissingException;
import org.elasticsearch.index.engine.DocumentSourceMissingException;
import org.elasticsearch.index.engine.VersionConflictEngineException;
import org.elasticsearch.index.get.GetResult;
import org.elasticsearch.index.shard.ShardId;
import org.elasticsearch.xcontent.XContentType;
import org.junit.jupiter.api.Test;

class UpdateMergeTest {

  private static final ShardId SHARD = new ShardId("i", "uuid", 0);
  private static final long SEQ_NO = 7;
  private static final long TERM = 2;
  private static final EmbeddedField VECTOR =
      new EmbeddedField("v", List.of("t"), "e", "sha256:e", false);

  private static GetResponse stored(String json, String routing) {
    Map<String, DocumentField> meta =
        routing == null
            ? Map.of()
            : Map.of("_routing", new DocumentField("_routing", List.of(routing)));
    BytesArray source = json == null ? null : new BytesArray(json.replace('\'', '"'));
    return new GetResponse(new GetResult("i", "1", SEQ_NO, TERM, 3, true, source, Map.of(), meta));
  }

  private static GetResponse missing() {
    return new GetResponse(new GetResult("i", "1", -2, 0, -1, false, null, null, null));
  }

  private static UpdateRequest update() {
    return new UpdateRequest("i", "1");
  }

  private static UpdateMerge merge(UpdateRequest update, GetResponse stored) {
    return UpdateMerge.of(update, stored, SHARD, List.of(VECTOR), null, 0);
  }

  private static UpdateRequest doc(String json) {
    return update().doc(json.replace('\'', '"'), XContentType.JSON);
  }

  @Test
  void aPartialDocumentIsMergedOnTheConditionThatNobodyElseWrites() {
    UpdateMerge merge = merge(doc("{'a':{'y':2}}"), stored("{'a':{'x':1},'b':1}", "r"));
    IndexRequest index = assertInstanceOf(IndexRequest.class, merge.request());
    assertEquals(Map.of("a", Map.of("x", 1, "y", 2), "b", 1), index.sourceAsMap());
    assertEquals(SEQ_NO, index.ifSeqNo());
    assertEquals(TERM, index.ifPrimaryTerm());
    assertEquals("r", index.routing());
    assertEquals(OpType.INDEX, index.opType());
    assertEquals(DocWriteResponse.Result.UPDATED, merge.result());
  }

  @Test
  void whatWasThereBeforeIsKnownWhateverTheMergeChanges() {
    UpdateMerge merge = merge(doc("{'a':{'y':[2]},'v':[1]}"), stored("{'a':{'y':[1]}}", null));
    assertEquals(Map.of("a", Map.of("y", List.of(1))), merge.before());
    assertEquals(Map.of("y", List.of(2)), merge.source().get("a"));
    assertNull(merge(doc("{'a':1}").docAsUpsert(true), missing()).before());
  }

  @Test
  void whatChangesNothingIsANoopUnlessItIsToBeWrittenAllTheSame() {
    GetResponse stored = stored("{'a':1}", null);
    assertEquals(DocWriteResponse.Result.NOOP, merge(doc("{'a':1}"), stored).result());
    UpdateRequest always = doc("{'a':1}").detectNoop(false);
    assertEquals(DocWriteResponse.Result.UPDATED, merge(always, stored).result());
  }

  @Test
  void aMissingDocumentIsCreatedOrMissing() {
    UpdateRequest upsert = doc("{'a':1}").upsert("{\"b\":2}", XContentType.JSON);
    IndexRequest created = (IndexRequest) merge(upsert, missing()).request();
    assertEquals(Map.of("b", 2), created.sourceAsMap());
    assertEquals(OpType.CREATE, created.opType());
    created = (IndexRequest) merge(doc("{'a':1}").docAsUpsert(true), missing()).request();
    assertEquals(Map.of("a", 1), created.sourceAsMap());
    assertThrows(DocumentMissingException.class, () -> merge(doc("{'a':1}"), missing()));
  }

  @Test
  void anotherDocumentThanTheRequestSaysIsAConflict() {
    UpdateRequest update = doc("{'a':1}").setIfSeqNo(6).setIfPrimaryTerm(TERM);
    assertThrows(
        VersionConflictEngineException.class, () -> merge(update, stored("{'a':2}", null)));
    assertThrows(VersionConflictEngineException.class, () -> merge(update, missing()));
    UpdateRequest right = doc("{'a':1}").setIfSeqNo(SEQ_NO).setIfPrimaryTerm(TERM);
    assertEquals(DocWriteResponse.Result.UPDATED, merge(right, stored("{'a':2}", null)).result());
  }

  @Test
  void aDocumentWithoutSourceCannotBeMerged() {
    assertThrows(
        DocumentSourceMissingException.class, () -> merge(doc("{'a':1}"), stored(null, null)));
  }

  @Test
  void theRoutingOfTheUpdateIsThatOfADocumentWithoutOne() {
    UpdateRequest update = doc("{'a':1}").routing("r");
    assertEquals("r", merge(update, stored("{'a':2}", null)).request().routing());
    assertNull(merge(doc("{'a':1}"), stored("{'a':2}", null)).request().routing());
  }

  @Test
  void aVectorThatAnUpdateBringsIsNotThatOfTheStoredNote() {
    String stored = "{'v':[1],'densehook':{'v':{'text':'a'},'w':{'text':'b'}}}";
    UpdateMerge merge = merge(doc("{'v':[2]}"), stored(stored, null));
    Map<?, ?> notes = (Map<?, ?>) merge.source().get("densehook");
    assertNull(notes.get("v"));
    assertEquals(Map.of("text", "b"), notes.get("w"));
    merge = merge(doc("{'v':[2],'densehook':{'v':{'text':'c'}}}"), stored(stored, null));
    assertEquals(Map.of("text", "c"), ((Map<?, ?>) merge.source().get("densehook")).get("v"));
  }

  @Test
  void anOrderIsTakenOutBeforeItIsMerged() {
    String order = "{'a':1,'densehook':{'v':{'input':['a']}}}";
    String stored = "{'a':1,'densehook':{'v':{'text':'a'}}}";
    UpdateMerge merge = merge(doc(order), stored(stored, null));
    assertEquals(DocWriteResponse.Result.NOOP, merge.result());
    assertEquals(Map.of("v", Map.of("text", "a")), merge.source().get("densehook"));
    assertEquals(1, merge.orders().size());
    merge = merge(doc(order).docAsUpsert(true), missing());
    assertEquals(Map.of("a", 1), ((IndexRequest) merge.request()).sourceAsMap());
    assertEquals(1, merge.orders().size());
  }
}
