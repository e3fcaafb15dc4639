package org.densehook.elasticsearch.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.common.compress.CompressedXContent;
import org.junit.jupiter.api.Test;

class IndexVectorsCacheTest {

  private final IndexVectorsCache cache = new IndexVectorsCache();

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
    Map<String, EmbeddedField> fields = cache.of(List.of(first, second, third)).fields();
    assertEquals(Set.of("one", "two"), fields.keySet());
    assertEquals("sha256:2", fields.get("one").fingerprint());
    assertEquals("sha256:1", cache.of(List.of(first)).fields().get("one").fingerprint());
  }

  @Test
  void noTemplateStatesNothing() {
    assertEquals(Map.of(), cache.of(List.of()).fields());
  }
}
