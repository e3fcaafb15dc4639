package org.densehook.elasticsearch.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.densehook.elasticsearch.service.KnownEncoder;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.FieldFormat;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.TextRule;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.index.IndexVersion;
import org.elasticsearch.xcontent.XContentType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A field that an index does not map is written where Elasticsearch maps it right by itself. */
final class DestinationTest {

  static {
    LogConfigurator.configureESLogging(); // without it an index's metadata cannot be made
  }

  private static IndexMetadata index(String mapping) {
    return IndexMetadata.builder("i")
        .settings(
            Settings.builder()
                .put(IndexMetadata.SETTING_VERSION_CREATED, IndexVersion.current())
                .put(IndexMetadata.SETTING_INDEX_UUID, "uuid"))
        .numberOfShards(1)
        .numberOfReplicas(0)
        .putMapping("{\"_doc\":" + mapping + "}")
        .build();
  }

  private static Destination destination(String mapping) {
    String json = mapping.replace('\'', '"');
    Map<String, Object> read =
        XContentHelper.convertToMap(XContentType.JSON.xContent(), json, true);
    return new Destination(index(json), new IndexVectors(read, false));
  }

  private static void require(Destination destination, String path, String type, int dims) {
    EmbeddedField field =
        new EmbeddedField(
            path,
            TextRule.joining(List.of("t")),
            "e",
            "f",
            FieldFormat.ofType(type),
            false,
            null,
            null);
    destination.requireType(field, new KnownEncoder("e", "f", dims));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "{} | w | sparse_vector",
        "{'dynamic':true} | w | sparse_vector",
        "{'dynamic':'runtime'} | w | binary",
        "{'properties':{'a':{'type':'text'}}} | w | binary",
        "{} | w | dense_vector",
        "{'dynamic':false,'properties':{'o':{'dynamic':true}}} | o.w | sparse_vector",
        "{'properties':{'o':{'type':'nested'}}} | o.0.w | sparse_vector",
      })
  void whatWouldGetAnotherTypeIsRefused(String mapping, String path, String type) {
    Destination destination = destination(mapping);
    String message =
        assertThrows(IllegalArgumentException.class, () -> require(destination, path, type, 64))
            .getMessage();
    assertEquals(
        "field ["
            + path
            + "] is not mapped in index [i], and Elasticsearch by itself does not map it as ["
            + type
            + "], which encoder [e] writes; map it so",
        message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "{} | w | dense_vector | 384",
        "{'properties':{'w':{'type':'sparse_vector'}}} | w | sparse_vector | 0",
        "{'properties':{'o':{'properties':{'w':{'type':'sparse_vector'}}}}} | o.3.w | sparse_vector"
            + " | 0",
        "{'dynamic':'strict'} | w | sparse_vector | 0",
        "{'dynamic':false} | o.w | sparse_vector | 0",
        "{'enabled':false} | w | sparse_vector | 0",
        "{'properties':{'o':{'dynamic':'false'}}} | o.w | sparse_vector | 0",
        "{'properties':{'o':{'type':'flattened'}}} | o.w | sparse_vector | 0",
        "{'properties':{'o':{'type':'object','enabled':false}}} | o.w | sparse_vector | 0",
        "{'dynamic_templates':[{'w':{'match':'w','mapping':{}}}]} | w | sparse_vector | 0",
        "{} | _ingest._value.w | sparse_vector | 0",
      })
  void whatIsMappedRightOrNotAtAllPasses(String mapping, String path, String type, int dims) {
    require(destination(mapping), path, type, dims);
  }

  @Test
  void whatGoesIntoAnIndexThatIsNotThereYetPasses() {
    Destination unknown = new Destination(null, new IndexVectors(Map.of(), false));
    require(unknown, "w", "sparse_vector", 0);
  }
}
