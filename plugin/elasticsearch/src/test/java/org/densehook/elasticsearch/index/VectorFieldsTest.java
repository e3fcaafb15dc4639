package org.densehook.elasticsearch.index;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.common.compress.CompressedXContent;
import org.junit.jupiter.api.Test;

class VectorFieldsTest {

  private final VectorFields vectorFields = new VectorFields();

  private static CompressedXContent mapping(String json) throws IOException {
    return new CompressedXContent(json.replace('\'', '"'));
  }

  private static String stated(String field, String fingerprint) {
    return "{'_meta':{'densehook':{'fields':{'"
        + field
        + "':{'encoder':'e','fingerprint':'"
        + fingerprint
        + "'}}}}}";
  }

  @Test
  void mappingsOfATemplateAreReadTogetherTheLaterOverTheEarlier() throws IOException {
    CompressedXContent first = mapping(stated("one", "sha256:1"));
    CompressedXContent second = mapping("{'_doc':" + stated("two", "sha256:1") + "}");
    CompressedXContent third = mapping(stated("one", "sha256:2"));
    Map<String, VectorField> fields = vectorFields.of(List.of(first, second, third));
    assertEquals(Set.of("one", "two"), fields.keySet());
    assertEquals("sha256:2", fields.get("one").fingerprint());
    assertEquals("sha256:1", vectorFields.of(List.of(first)).get("one").fingerprint());
  }

  @Test
  void noTemplateStatesNothing() {
    assertEquals(Map.of(), vectorFields.of(List.of()));
  }
}
