package org.densehook.elasticsearch.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.elasticsearch.common.bytes.BytesArray;
import org.elasticsearch.common.bytes.BytesReference;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentFactory;
import org.elasticsearch.xcontent.XContentType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class DocumentSourceTest {

  private static final float[] VECTOR = {0.1f, -2.5e-7f};

  @ParameterizedTest
  @EnumSource(
      value = XContentType.class,
      names = {"JSON", "SMILE", "CBOR", "YAML"})
  void theContentTypeStays(XContentType type) throws IOException {
    Map<String, Object> document = Map.of("body", "text", "other", Map.of("deep", List.of(1, 2)));
    BytesReference with =
        DocumentSource.with(bytes(document, type), type, Map.of("embedding", VECTOR));
    Map<String, Object> read = XContentHelper.convertToMap(with, true, type).v2();
    List<?> vector = (List<?>) read.remove("embedding");
    assertEquals(
        List.of(VECTOR[0], VECTOR[1]),
        vector.stream().map(number -> ((Number) number).floatValue()).toList());
    assertEquals(document, read);
  }

  @Test
  void whatWasSentStaysAsItIs() throws IOException {
    String sent = "{ \"n\": 1.00, \"body\" : \"\\ud800\", \"big\": 123456789012345678901234567890}";
    assertEquals(
        "{\"embedding\":[0.1,-2.5E-7]," + sent.substring(1), with(sent, "embedding", VECTOR));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "{ }", "{\n\t}"})
  void anEmptyDocumentTakesFieldsToo(String empty) throws IOException {
    assertEquals("{\"embedding\":[0.1,-2.5E-7]}", with(empty, "embedding", VECTOR));
  }

  @Test
  void base64IsTheBytesOfTheFloats() throws IOException {
    // as base64.b64encode(struct.pack(">2f", 0.1, -2.5e-7)) of Python
    assertEquals(
        "{\"embedding\":\"PczMzbSGN70=\",\"a\":1}",
        DocumentSource.with(
                bytes("{\"a\":1}"),
                XContentType.JSON,
                Map.of("embedding", VectorFormat.toBase64(VECTOR)))
            .utf8ToString());
  }

  @Test
  void anEarlierVectorIsReplacedInAnySpelling() throws IOException {
    assertEquals(
        "{\"body\":\"b\",\"out\":{\"n\":1,\"v\":[0.1,-2.5E-7]}}",
        with("{\"out\":{\"v\":[9],\"n\":1},\"body\":\"b\",\"out.v\":[8]}", "out.v", VECTOR));
    assertEquals("{\"body\":\"\"}", with("{\"embedding\":[9],\"body\":\"\"}", "embedding", null));
  }

  @Test
  void aVectorGoesIntoTheObjectItsPathNames() throws IOException {
    assertEquals(
        "{\"out\":{\"v\":[0.1,-2.5E-7]},\"body\":\"b\"}",
        with("{\"body\":\"b\"}", "out.v", VECTOR));
    assertEquals(
        "{\"body\":\"b\",\"out\":null,\"out.v\":[0.1,-2.5E-7]}",
        with("{\"out\":null,\"body\":\"b\"}", "out.v", VECTOR));
  }

  @Test
  void onlyWhatLeadsToThePathsIsRead() throws IOException {
    String source = "{\"a\":{\"b\":[1,{\"c\":null}]},\"ab\":1,\"a.b\":true,\"x\":{\"y\":{}}}";
    Map<String, Object> part =
        DocumentSource.part(bytes(source), XContentType.JSON, List.of("a.b"));
    assertEquals("{a={b=[1, {c=null}]}, a.b=true}", part.toString());
  }

  @Test
  void whatIsNoDocumentIsRefused() {
    for (String source : List.of("", "[1]", "{\"a\":1", "{\"a\":1,\"a\":2}", "nonsense")) {
      assertThrows(
          Exception.class,
          () -> DocumentSource.part(bytes(source), XContentType.JSON, List.of("a")),
          source);
    }
  }

  private static String with(String source, String path, float[] vector) throws IOException {
    Map<String, Object> vectors = new HashMap<>();
    vectors.put(path, vector);
    return DocumentSource.with(bytes(source), XContentType.JSON, vectors).utf8ToString();
  }

  private static BytesReference bytes(String source) {
    return new BytesArray(source);
  }

  private static BytesReference bytes(Map<String, Object> document, XContentType type)
      throws IOException {
    try (XContentBuilder builder = XContentFactory.contentBuilder(type)) {
      return BytesReference.bytes(builder.map(document));
    }
  }
}
