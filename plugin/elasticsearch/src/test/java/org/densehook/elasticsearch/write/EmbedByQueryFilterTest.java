package org.densehook.elasticsearch.write;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.elasticsearch.action.bulk.BulkRequest;
import org.elasticsearch.index.reindex.ReindexRequest;
import org.elasticsearch.index.reindex.UpdateByQueryRequest;
import org.elasticsearch.script.Script;
import org.junit.jupiter.api.Test;

class EmbedByQueryFilterTest {

  private static final Script SCRIPT = new Script("ctx._source.title = 'other'");

  @Test
  void anUpdateByQueryChangesDocumentsByItsScriptOrItsPipeline() {
    assertFalse(EmbedByQueryFilter.changesDocuments(new UpdateByQueryRequest("index")));
    UpdateByQueryRequest scripted = new UpdateByQueryRequest("index");
    scripted.setScript(SCRIPT);
    assertTrue(EmbedByQueryFilter.changesDocuments(scripted));
    UpdateByQueryRequest piped = new UpdateByQueryRequest("index");
    piped.setPipeline("pipeline");
    assertTrue(EmbedByQueryFilter.changesDocuments(piped));
  }

  @Test
  void aReindexChangesDocumentsByItsScriptOrThePipelineOfItsDestination() {
    assertFalse(EmbedByQueryFilter.changesDocuments(new ReindexRequest()));
    ReindexRequest scripted = new ReindexRequest();
    scripted.setScript(SCRIPT);
    assertTrue(EmbedByQueryFilter.changesDocuments(scripted));
    ReindexRequest piped = new ReindexRequest();
    piped.setDestPipeline("pipeline");
    assertTrue(EmbedByQueryFilter.changesDocuments(piped));
  }

  @Test
  void otherRequestsAreNoneOfThese() {
    assertFalse(EmbedByQueryFilter.changesDocuments(new BulkRequest()));
  }
}
