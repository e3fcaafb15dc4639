package org.densehook.elasticsearch.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.densehook.elasticsearch.vectors.IndexVectors.MappedField;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.xcontent.XContentType;
import org.junit.jupiter.api.Test;

class IndexVectorsTest {

  private static IndexVectors read(String json) {
    return new IndexVectors(
        XContentHelper.convertToMap(XContentType.JSON.xContent(), json.replace('\'', '"'), true),
        true);
  }

  @Test
  void whatIsStatedIsReadWithItsInputsAsAFieldOrAList() {
    IndexVectors vectors =
        read(
            "{'_meta':{'densehook':{'bm25':'body','fields':{"
                + "'one':{'input':'title','encoder':'e','fingerprint':'f'},"
                + "'two':{'input':['title','body'],'encoder':'e','fingerprint':'f'},"
                + "'searched':{'encoder':'e','fingerprint':'f'},"
                + "'partly':{'encoder':'e'}}}}}");
    assertEquals(List.of("one", "two", "searched"), List.copyOf(vectors.fields().keySet()));
    assertEquals(List.of("title"), vectors.fields().get("one").inputs());
    assertEquals(List.of("title", "body"), vectors.fields().get("two").inputs());
    assertEquals(List.of(), vectors.fields().get("searched").inputs());
    assertEquals(List.of("body"), vectors.bm25());
  }

  @Test
  void anAliasIsItsTarget() {
    IndexVectors vectors =
        read(
            "{'properties':{'short':{'type':'alias','path':'parts.vector'},"
                + "'lost':{'type':'alias','path':'nowhere'},"
                + "'parts':{'type':'nested','properties':{'vector':{'type':'dense_vector','dims':3}}}}}");
    MappedField alias = vectors.field("short");
    assertEquals("dense_vector", alias.type());
    assertEquals("parts.vector", alias.aliasOf());
    assertEquals("parts", alias.nestedIn());
    assertEquals(3, alias.definition().get("dims"));
    assertEquals("alias", vectors.field("lost").type());
    assertNull(vectors.field("lost").aliasOf());
  }

  @Test
  void aMultiFieldKnowsWhoseItIs() {
    IndexVectors vectors =
        read(
            "{'properties':{'title':{'type':'text','fields':{'en':{'type':'text',"
                + "'analyzer':'english'}}},'o':{'properties':{'t':{'type':'text',"
                + "'fields':{'raw':{'type':'keyword'}}}}}}}");
    assertEquals("title", vectors.field("title.en").multiFieldOf());
    assertEquals("o.t", vectors.field("o.t.raw").multiFieldOf());
    assertNull(vectors.field("o.t").multiFieldOf());
    assertEquals("object", vectors.field("o").type());
  }

  @Test
  void aNestedFieldIsFoundHoweverItsPathIsSpelled() {
    for (String spelled :
        List.of(
            "'parts':{'type':'nested','properties':{'vector':{'type':'dense_vector'}}}",
            "'parts':{'type':'nested'},'parts.vector':{'type':'dense_vector'}")) {
      IndexVectors vectors = read("{'properties':{" + spelled + "}}");
      assertEquals("parts", vectors.field("parts.vector").nestedIn(), spelled);
      assertNull(vectors.field("parts").nestedIn(), spelled);
    }
    IndexVectors deep =
        read(
            "{'properties':{'a':{'type':'nested','properties':{'o':{'properties':{'b':{"
                + "'type':'nested','properties':{'v':{'type':'dense_vector'}}}}}}}}}");
    assertEquals("a.o.b", deep.field("a.o.b.v").nestedIn());
    assertEquals("a", deep.field("a.o.b").nestedIn());
    assertEquals("a", deep.field("a.o").nestedIn());
  }

  @Test
  void withoutSubobjectsDottedNamesAreLeaves() {
    IndexVectors vectors =
        read(
            "{'subobjects':false,'properties':{'time':{'type':'long'},'time.max':{'type':'long'},"
                + "'v.e':{'type':'dense_vector','dims':4}},"
                + "'_meta':{'densehook':{'fields':{'v.e':{'encoder':'e','fingerprint':'f'}}}}}");
    assertEquals("long", vectors.field("time").type());
    assertEquals("long", vectors.field("time.max").type());
    assertEquals("dense_vector", vectors.field("v.e").type());
    assertTrue(vectors.fields().get("v.e").base64());
  }

  @Test
  void aDefinitionHoldsNoneOfTheFieldsBelow() {
    IndexVectors vectors =
        read(
            "{'properties':{'o':{'dynamic':'strict','properties':{'t':{'type':'text',"
                + "'fields':{'raw':{'type':'keyword'}}}}}}}");
    assertEquals(Map.of("dynamic", "strict"), vectors.field("o").definition());
    assertEquals(Map.of("type", "text"), vectors.field("o.t").definition());
  }

  @Test
  void allFieldsComeInTheOrderOfTheirPaths() {
    IndexVectors vectors = read("{'properties':{'b':{},'a':{'type':'text'},'c':{'type':'long'}}}");
    assertEquals(List.of("a", "b", "c"), new ArrayList<>(vectors.mapped().keySet()));
    assertEquals("text", vectors.mapped().get("a").type());
    assertFalse(vectors.mapped().containsKey("d"));
    assertEquals(3, vectors.mapped().size());
  }

  @Test
  void onlyAFloatVectorIsWrittenInBase64() {
    for (String type : List.of("'byte'", "'bit'", "'bfloat16'", "1")) {
      IndexVectors vectors =
          read(
              "{'properties':{'v':{'type':'dense_vector','element_type':"
                  + type
                  + "}},'_meta':{'densehook':{'fields':{'v':{'encoder':'e','fingerprint':'f'}}}}}");
      assertFalse(vectors.fields().get("v").base64(), type);
    }
  }

  @Test
  void whatTheSourceDropsIsKnown() {
    IndexVectors vectors =
        read("{'_source':{'excludes':['embedding','secret.*']},'properties':{}}");
    assertFalse(vectors.keepsInSource("embedding"));
    assertFalse(vectors.keepsInSource("secret.title"));
    assertTrue(vectors.keepsInSource("title"));
    assertFalse(read("{'_source':{'enabled':false}}").keepsInSource("title"));
    assertFalse(read("{'_source':{'enabled':'false'}}").keepsInSource("title"));
    IndexVectors included = read("{'_source':{'includes':'title'}}");
    assertTrue(included.keepsInSource("title"));
    assertFalse(included.keepsInSource("body"));
  }

  @Test
  void nothingThatJsonCanSayFails() {
    for (long seed = 0; seed < 3000; seed++) {
      Map<String, Object> mapping = new RandomMappings(seed).next();
      try {
        IndexVectors vectors = new IndexVectors(mapping, true);
        vectors.fields().keySet().forEach(vectors::field);
        vectors.mapped().keySet().forEach(vectors::keepsInSource);
      } catch (RuntimeException e) {
        fail("seed " + seed + ": " + mapping, e);
      }
    }
  }
}
