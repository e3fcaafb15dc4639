package org.densehook.elasticsearch.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.densehook.chunk.ChunkRule;
import org.densehook.elasticsearch.service.KnownEncoder;
import org.densehook.elasticsearch.service.KnownEncoders;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.xcontent.XContentType;
import org.junit.jupiter.api.Test;

/** What a pipeline orders with an update is made as the mapping states it. */
final class DocumentEmbedderTest {

  private static final EmbedOrder ORDER =
      new EmbedOrder("p.v", List.of("body"), null, null, "e", Modality.TEXT);

  private static List<FieldToEmbed> ordered(String entry) {
    String mapping =
        "{'_meta':{'densehook':{'fields':{"
            + entry
            + "}}},'properties':{"
            + "'p':{'type':'nested','properties':{'v':{'type':'dense_vector'}}}}}";
    IndexVectors vectors =
        new IndexVectors(
            XContentHelper.convertToMap(
                XContentType.JSON.xContent(), mapping.replace('\'', '"'), true),
            true);
    DocumentEmbedder embedder =
        new DocumentEmbedder(new KnownEncoders(List.of(new KnownEncoder("e", "sha256:e", 2))));
    List<FieldToEmbed> fields = embedder.fields(vectors, "i", false);
    return embedder.withOrdered(fields, List.of(ORDER), vectors, "i");
  }

  @Test
  void itIsCutAsAMappingStatesThatNamesNoInputs() {
    EmbeddedField field =
        ordered(
                "'p.v':{'encoder':'e','fingerprint':'sha256:e',"
                    + "'chunk':{'by':'tokens','prefix':'title'}}")
            .get(0)
            .field();
    assertEquals(ChunkRule.parse(Map.of("by", "tokens", "prefix", "title")), field.chunk());
    assertEquals(List.of("body"), field.inputs());
    assertEquals(List.of("body", "title"), field.text().paths());
    assertEquals("p", field.path());
  }

  @Test
  void ofAFieldThatTheMappingDoesNotStateItIsOneVector() {
    FieldToEmbed to = ordered("").get(0);
    assertFalse(to.field().isChunked());
    assertFalse(to.keepsNotes());
  }

  @Test
  void anotherEncoderThanTheFieldsIsRefused() {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> ordered("'p.v':{'encoder':'o','fingerprint':'sha256:o'}"));
    assertEquals(
        "field [p.v] of index [i] holds vectors of encoder [o] (sha256:o), not of [e] (sha256:e);"
            + " use that encoder, or create another index",
        refused.getMessage());
  }
}
