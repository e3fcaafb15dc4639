package org.densehook.elasticsearch.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.densehook.elasticsearch.service.KnownEncoder;
import org.densehook.elasticsearch.service.KnownEncoders;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.xcontent.XContentType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What is scored of a document is cut where its chunks are, as long as they are of its text. */
final class DocumentTextsTest {

  private static final KnownEncoder ENCODER = new KnownEncoder("e", "sha256:e", 2, "\n");
  private static final KnownEncoder SCORING = new KnownEncoder("cross", "sha256:c", 1);
  private static final List<String> INPUTS = List.of("r.t", "r.x");
  private static final List<String> WHOLE = List.of("T1 T2 X1 X2");
  private static final String MAPPING =
      "{'_meta':{'densehook':{'fields':{'p.v':{'input':['r.t','r.x'],'encoder':'e',"
          + "'fingerprint':'sha256:e','chunk':{'by':'given','prefix':'n'}}}}},"
          + "'properties':{'p':{'type':'nested','properties':{'v':{'type':'dense_vector'}}}}}";
  private static final IndexVectors VECTORS =
      new IndexVectors(
          XContentHelper.convertToMap(
              XContentType.JSON.xContent(), MAPPING.replace('\'', '"'), true),
          false);

  @BeforeAll
  static void logs() {
    LogConfigurator.configureESLogging(); // without it there are no exceptions of Elasticsearch's
  }

  private static DocumentTexts texts(KnownEncoder... inService) {
    return DocumentTexts.of(VECTORS, INPUTS, null, new KnownEncoders(List.of(inService)));
  }

  /** Of the text of the encoder, which joins by line breaks: T1, X1, T2, X2. */
  private static Map<String, Object> document() {
    Map<String, Object> document = new HashMap<>();
    document.put("n", "N");
    document.put("r", List.of(Map.of("t", "T1", "x", "X1"), Map.of("t", "T2", "x", "X2")));
    document.put("p", List.of(Map.of("start", 0, "end", 5), Map.of("start", 6, "end", 11)));
    EmbeddedField field = VECTORS.fields().get("p.v");
    String hash = field.hash(new FieldText(field, ENCODER).of(document));
    document.put("densehook", Map.of("p.v", new Note("sha256:e", hash).asMap()));
    return document;
  }

  @Test
  void chunksAreOfTheTextThatTheFieldsEncoderPutTogether() {
    DocumentTexts texts = texts(ENCODER);
    assertEquals(List.of("T1\nX1", "T2\nX2"), texts.of(document(), 5, SCORING));
    assertEquals(List.of("T1\nX1"), texts.of(document(), 1, SCORING));
    assertEquals(WHOLE, texts.of(document(), 0, SCORING));
    assertEquals(Set.of("r.t", "r.x", "n", "densehook", "p.start", "p.end"), texts.paths(true));
    assertEquals(Set.of("r.t", "r.x"), texts.paths(false));
  }

  @Test
  void chunksOfATextThatTheDocumentHasNoMoreAreNotUsed() {
    Map<String, Object> other = document();
    other.put("n", "M"); // which is before each chunk
    assertEquals(WHOLE, texts(ENCODER).of(other, 5, SCORING));
    Map<String, Object> unnoted = document();
    unnoted.remove("densehook");
    assertEquals(WHOLE, texts(ENCODER).of(unnoted, 5, SCORING));
    Map<String, Object> outside = document();
    outside.put("p", List.of(Map.of("start", 0, "end", 12)));
    assertEquals(WHOLE, texts(ENCODER).of(outside, 5, SCORING));
  }

  @Test
  void withoutTheFieldsEncoderNobodyKnowsWhatItsChunksAreOf() {
    assertEquals(WHOLE, texts(SCORING).of(document(), 5, SCORING));
    assertEquals(Set.of("r.t", "r.x"), texts(SCORING).paths(true));
  }
}
