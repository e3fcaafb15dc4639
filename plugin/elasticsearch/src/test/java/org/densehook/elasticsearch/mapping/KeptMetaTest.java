package org.densehook.elasticsearch.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.densehook.elasticsearch.vectors.RandomMappings;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.xcontent.XContentType;
import org.junit.jupiter.api.Test;

class KeptMetaTest {

  private static final Map<String, Object> BEFORE =
      json("{'fields':{'a':{'encoder':'e','fingerprint':'1'},'b':{'encoder':'e'}},'bm25':'t'}");

  private static Map<String, Object> json(String text) {
    return XContentHelper.convertToMap(XContentType.JSON.xContent(), text.replace('\'', '"'), true);
  }

  private static void check(String stated, String meta, String... kept) {
    KeptMeta result = KeptMeta.over(BEFORE, json(stated));
    assertEquals(json(meta), result.meta());
    assertEquals(List.of(kept), result.kept());
  }

  private static final String WHOLE =
      "{'fields':{'a':{'encoder':'e','fingerprint':'1'},'b':{'encoder':'e'}},'bm25':'t'}";

  @Test
  void whatSaysNothingOfItKeepsAllOfIt() {
    check("{}", "{'densehook':" + WHOLE + "}", "densehook");
    check("{'owner':'us'}", "{'owner':'us','densehook':" + WHOLE + "}", "densehook");
    assertTrue(KeptMeta.over(BEFORE, Map.of()).wholly());
  }

  @Test
  void nullTakesItAway() {
    check("{'densehook':null,'owner':'us'}", "{'owner':'us'}");
    check("{'densehook':null}", "{}");
  }

  @Test
  void anEntryIsReplacedAsAWholeAndTheOthersStay() {
    check(
        "{'densehook':{'fields':{'a':{'encoder':'new'}}}}",
        "{'densehook':{'fields':{'a':{'encoder':'new'},'b':{'encoder':'e'}},'bm25':'t'}}",
        "densehook.bm25",
        "densehook.fields.b");
    check(
        "{'densehook':{'fields':{'c':{'encoder':'x'}},'bm25':['t','u']}}",
        "{'densehook':{'fields':{'a':{'encoder':'e','fingerprint':'1'},'b':{'encoder':'e'},"
            + "'c':{'encoder':'x'}},'bm25':['t','u']}}",
        "densehook.fields.a",
        "densehook.fields.b");
  }

  @Test
  void nullTakesASingleEntryAway() {
    check(
        "{'densehook':{'fields':{'a':null},'bm25':null}}",
        "{'densehook':{'fields':{'b':{'encoder':'e'}}}}",
        "densehook.fields.b");
    check("{'densehook':{'fields':null,'bm25':null}}", "{}");
    check("{'densehook':{'fields':{'a':null,'b':null},'bm25':null}}", "{}");
    check("{'densehook':{'fields':null}}", "{'densehook':{'bm25':'t'}}", "densehook.bm25");
  }

  @Test
  void theWholeStatedAgainIsNothingNew() {
    check("{'densehook':" + WHOLE + "}", "{'densehook':" + WHOLE + "}");
  }

  @Test
  void whatIsNoObjectStaysToBeRefused() {
    check("{'densehook':'x'}", "{'densehook':'x'}");
    check(
        "{'densehook':{'fields':[]}}", "{'densehook':{'fields':[],'bm25':'t'}}", "densehook.bm25");
  }

  @Test
  void whereThereWasNothingNothingIsKept() {
    assertEquals(List.of(), KeptMeta.over(null, Map.of("owner", "us")).kept());
    assertEquals(Map.of("owner", "us"), KeptMeta.over(null, Map.of("owner", "us")).meta());
  }

  @Test
  void nothingThatJsonCanSayFails() {
    for (long seed = 0; seed < 3000; seed++) {
      RandomMappings random = new RandomMappings(seed);
      Map<String, Object> before = MappingBody.meta(random.next());
      Map<String, Object> stated = MappingBody.meta(random.next());
      if (stated != null) {
        KeptMeta.over(before == null ? null : before.get("densehook"), stated);
      }
    }
  }
}
