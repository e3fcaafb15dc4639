package org.densehook.elasticsearch.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.common.compress.CompressedXContent;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.IndexVersion;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class IndexVectorsCacheTest {

  @BeforeAll
  static void logs() {
    LogConfigurator.configureESLogging(); // metadata of an index wants a logger
  }

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

  private static IndexMetadata index(String name, String mapping) {
    return IndexMetadata.builder(name)
        .settings(
            Settings.builder()
                .put(IndexMetadata.SETTING_VERSION_CREATED, IndexVersion.current())
                .put(IndexMetadata.SETTING_NUMBER_OF_SHARDS, 1)
                .put(IndexMetadata.SETTING_NUMBER_OF_REPLICAS, 0))
        .putMapping(mapping.replace('\'', '"'))
        .build();
  }

  @Test
  void indicesOfOneMappingShareWhatItSays() {
    IndexVectors one = cache.of(index("a", stated("v", "sha256:1")));
    assertSame(one, cache.of(index("b", stated("v", "sha256:1"))));
    assertSame(one, cache.known(index("c", stated("v", "sha256:1"))));
    assertNotSame(one, cache.of(index("d", stated("v", "sha256:2"))));
  }

  @Test
  void mappingsThatStateVectorsAreKnownBeforeAnybodyAsks() {
    IndexMetadata stating = index("a", stated("v", "sha256:1"));
    IndexMetadata other = index("b", "{'properties':{'title':{'type':'text'}}}");
    assertNull(cache.known(stating));
    cache.see(List.of(stating, other));
    assertNotNull(cache.known(stating));
    assertNull(cache.known(other)); // read when it is asked for
    assertEquals("text", cache.of(other).field("title").type());
    cache.see(List.of(stating, other));
    assertNotNull(cache.known(other));
  }

  @Test
  void mappingsThatAreGoneLeaveAndTemplatesStay() throws IOException {
    IndexMetadata gone = index("a", stated("v", "sha256:1"));
    IndexMetadata changed = index("a", stated("v", "sha256:2"));
    List<CompressedXContent> template = List.of(mapping(stated("v", "sha256:3")));
    IndexVectors ofTemplate = cache.of(template);
    cache.see(List.of(gone));
    cache.see(List.of(changed));
    assertNull(cache.known(gone));
    assertEquals("sha256:2", cache.known(changed).fields().get("v").fingerprint());
    assertSame(ofTemplate, cache.of(template));
  }

  private static String large(int variant) {
    StringBuilder properties = new StringBuilder("'own" + variant + "':{'type':'long'}");
    for (int i = 0; i < 1000; i++) {
      properties.append(",'field").append(i).append("':{'type':'text','analyzer':'english'}");
    }
    return "{'_meta':{'densehook':{'fields':{'v':{'encoder':'e','fingerprint':'f'}}}},"
        + "'properties':{"
        + properties
        + "}}";
  }

  @Test
  void aThousandMappingsOfAThousandFieldsAreAllKnownAndShareWhatIsEqual() {
    List<IndexMetadata> indices = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      indices.add(index("i" + i, large(i)));
    }
    cache.see(indices);
    IndexVectors first = cache.known(indices.get(0));
    for (int i = 0; i < indices.size(); i++) {
      IndexVectors vectors = cache.known(indices.get(i));
      assertEquals("long", vectors.field("own" + i).type());
      assertSame(first.field("field999"), vectors.field("field999"));
    }
  }

  @Test
  void whatIsKeptIsBoundedAndThoseAskedForLastStay() {
    IndexVectorsCache small = new IndexVectorsCache(2500);
    IndexMetadata[] indices = new IndexMetadata[3];
    for (int i = 0; i < 3; i++) {
      indices[i] = index("i" + i, large(i));
    }
    small.of(indices[0]);
    small.of(indices[1]);
    small.of(indices[0]);
    small.of(indices[2]);
    assertNotNull(small.known(indices[0]));
    assertNull(small.known(indices[1]));
    assertNotNull(small.known(indices[2]));
  }
}
