package org.densehook.elasticsearch.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.mapping.Change.Target;
import org.densehook.elasticsearch.service.EncoderFacts;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.RandomMappings;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.xcontent.XContentType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChangeTest {

  private static final KnownEncoders KNOWN =
      new KnownEncoders(
          List.of(
              new EncoderFacts("e", false, "f", Kind.DENSE, 4, true),
              new EncoderFacts("raw", false, "r", Kind.DENSE, 4, false),
              new EncoderFacts("slow", true, null, Kind.DENSE, 0, false),
              new EncoderFacts("broken", false, null, Kind.DENSE, 0, false)),
          true);

  private static final String ENTRY = "{'input':['title'],'encoder':'e','fingerprint':'f'}";
  private static final String VECTOR =
      "{'type':'dense_vector','dims':4,'similarity':'dot_product'}";

  private static IndexVectors read(String json) {
    return new IndexVectors(
        XContentHelper.convertToMap(XContentType.JSON.xContent(), json.replace('\'', '"'), true),
        false);
  }

  private static String mapping(String densehook, String properties) {
    return "{'_meta':{'densehook':" + densehook + "},'properties':{" + properties + "}}";
  }

  private static String fields(String entry, String properties) {
    return mapping("{'fields':{'v':" + entry + "}}", properties);
  }

  private static Collection<String> judged(
      IndexVectors before, IndexVectors after, boolean embeds) {
    return Change.of(new Target("index [i]", "i", before, after, embeds, embeds)).judge(KNOWN);
  }

  private static String refusal(String mapping, boolean embeds) {
    IndexVectors after = read(mapping);
    String message =
        assertThrows(IllegalArgumentException.class, () -> judged(null, after, embeds), mapping)
            .getMessage();
    assertFalse(message.contains("\n"), message);
    return message;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'fields':{'v':{'encoder':'e','fingerprint':'f'}}}",
        "{'fields':{'v':{'encoder':'e','fingerprint':'f','input':'title'}},'bm25':'title'}",
        "{'fields':{'v':{'encoder':'e','fingerprint':'f','input':['title','o.t','unmapped']}},"
            + "'bm25':['title','unmapped']}",
        "{'fields':{'v':{'encoder':'e','fingerprint':'f','input':null}},'bm25':null}",
        "{'fields':{'parts.v':{'encoder':'e','fingerprint':'f'}}}",
        "{'fields':{'o.v':{'encoder':'e','fingerprint':'f'}}}",
        "{'bm25':'title'}",
        "{}",
      })
  void whatIsRightPasses(String densehook) {
    String properties =
        "'v':"
            + VECTOR
            + ",'title':{'type':'text'},'o':{'properties':{'t':{'type':'keyword'},'v':"
            + VECTOR
            + "}},'parts':{'type':'nested','properties':{'v':"
            + VECTOR
            + "}},"
            + "'densehook':{'type':'flattened','doc_values':false}";
    assertEquals(List.of(), List.copyOf(judged(null, read(mapping(densehook, properties)), false)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "'x' | [_meta.densehook]: it is [x]; it must be an object",
        "[] | [_meta.densehook]: it is [[]]; it must be an object",
        "{'feilds':{}} | [_meta.densehook]: it has an unknown key [feilds]; known are [bm25, fields]",
        "{'fields':[]} | [_meta.densehook.fields]: it is [[]]; it must be an object",
        "{'fields':null} | [_meta.densehook.fields]: it is [null]",
        "{'fields':{'v':'e'}} | [_meta.densehook.fields.v]: it is [e]; it must be an object with",
        "{'fields':{'v':null}} | [_meta.densehook.fields.v]: it is [null]",
        "{'bm25':{'a':1}} | [_meta.densehook.bm25]: it is [{a=1}]; it must be a text field or a list",
        "{'bm25':['title',1]} | [_meta.densehook.bm25]: it is [[title, 1]]",
        "{'bm25':''} | [_meta.densehook.bm25]: it is []",
        "{'bm25':'v'} | [_meta.densehook.bm25]: [v] is mapped as [dense_vector], which BM25 cannot",
      })
  void aWrongShapeIsNamedWithItsKeyAndValue(String densehook, String said) {
    String message = refusal(mapping(densehook, "'v':" + VECTOR), false);
    assertTrue(message.startsWith("index [i]: " + said), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "{'fingerprint':'f'} | .encoder] is missing; state the name of an encoder",
        "{'encoder':'e'} | .fingerprint] is missing; state the fingerprint of that encoder",
        "{'encoder':5,'fingerprint':'f'} | .encoder]: it is [5]; it must be the name",
        "{'encoder':' ','fingerprint':'f'} | .encoder]: it is [ ]",
        "{'encoder':'e','fingerprint':['f']} | .fingerprint]: it is [[f]]",
        "{'encoder':'e','fingerprint':'f','inputs':'t'} | ]: it has an unknown key [inputs]",
        "{'encoder':'e','fingerprint':'f','weights':3} | .weights]: it is [3]; it must be an object",
        "{'encoder':'e','fingerprint':'f','weights':{'fusion':'linear','normalizer':'l2'}} |"
            + " .weights]: [normalizer] is [l2]; it must be one of [minmax, ",
        "{'encoder':'e','fingerprint':'f','input':7} | .input]: it is [7]; it must be a text field",
        "{'encoder':'e','fingerprint':'f','input':['a',null]} | .input]: it is [[a, null]]",
        "{'encoder':'e','fingerprint':'f','input':['a','a']} | .input]: it has [a] twice",
        "{'encoder':'e','fingerprint':'f','input':'v'} | .input]: [v] is the vector field itself",
        "{'encoder':'e','fingerprint':'f','input':'densehook.x'} | .input]: [densehook.x] holds",
        "{'encoder':'e','fingerprint':'f','input':'o'} | .input]: [o] is mapped as [object]",
        "{'encoder':'e','fingerprint':'f','input':'n'} | .input]: [n] is mapped as [nested]",
        "{'encoder':'e','fingerprint':'f','input':'w'} | .input]: [w] is mapped as [dense_vector]",
        "{'encoder':'e','fingerprint':'f','input':'d'} | .input]: [d] is an object; name the text",
        "{'encoder':'e','fingerprint':'f','input':'al'} | .input]: [w], from which [al] has its",
        "{'encoder':'e','fingerprint':'f','input':'all'} | .input]: [at], from which [all] has its"
            + " values, is mapped as [geo_point], which holds no text; name text fields",
        "{'encoder':'e','fingerprint':'f','input':'t','template':3} | ]: template is [3]; it is a",
        "{'encoder':'e','fingerprint':'f','input':'t','template':'{t} {b}'} | ]: template names [b],"
            + " which is no input; inputs are [t]",
        "{'encoder':'e','fingerprint':'f','input':['t','b'],'template':'{t}'} | ]: template does not"
            + " name input [b]; put it there in braces, or take it out of [input]",
        "{'encoder':'e','fingerprint':'f','input':'t','template':'{t'} | ]: template has a [{]"
            + " without its other half; a brace that is text is written twice",
        "{'encoder':'e','fingerprint':'g'} | .fingerprint]: it is [g], but encoder [e] is in service"
            + " here with [f]",
      })
  void aWrongEntryIsNamedWithItsKeyAndValue(String entry, String said) {
    String properties =
        "'v':"
            + VECTOR
            + ",'w':"
            + VECTOR
            + ",'o':{'properties':{'t':{'type':'text'}}},'n':{'type':'nested'},"
            + "'d.e':{'type':'text'},'t':{'type':'text','fields':{'en':{'type':'text'}}},"
            + "'al':{'type':'alias','path':'w'},'all':{'type':'text'},"
            + "'at':{'type':'geo_point','copy_to':'all'}";
    String message = refusal(fields(entry, properties), false);
    assertTrue(message.startsWith("index [i]: [_meta.densehook.fields.v" + said), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "'w':{'type':'text'} | the mapping has no field [v]; map it as binary",
        "'v':{'type':'text'} | [v] is mapped as [text]; it must be a binary",
        "'v':{'properties':{}} | [v] is mapped as [object]",
        "'w':{'type':'dense_vector'},'v':{'type':'alias','path':'w'} | [v] is an alias; state its",
        "'v':{'type':'dense_vector','dims':3} | [v] has [dims] [3], vectors of encoder [e] have [4]",
        "'v':{'type':'dense_vector','dims':'3'} | [v] has [dims] [3]",
        "'v':{'type':'dense_vector','dims':4,'element_type':'byte'} | [v] has [element_type] [byte]",
        "'v':{'type':'dense_vector','dims':32,'element_type':'bit'} | [v] has [element_type] [bit]",
      })
  void aVectorFieldThatDoesNotFitIsNamed(String properties, String said) {
    String message = refusal(fields(ENTRY, properties), false);
    assertTrue(message.startsWith("index [i]: [_meta.densehook.fields.v]: " + said), message);
  }

  @Test
  void aVectorFieldWhoseDimsAreOpenPasses() {
    assertEquals(0, judged(null, read(fields(ENTRY, "'v':{'type':'dense_vector'}")), true).size());
  }

  @Test
  void dotProductWantsAnEncoderThatNormalises() {
    String entry = "{'encoder':'raw','fingerprint':'r'}";
    String message = refusal(fields(entry, "'v':" + VECTOR), false);
    assertTrue(message.contains("[similarity] [dot_product]"), message);
    assertTrue(message.contains("encoder [raw] does not normalise"), message);
    String cosine = "'v':{'type':'dense_vector','dims':4,'similarity':'cosine'}";
    assertEquals(0, judged(null, read(fields(entry, cosine)), false).size());
  }

  @Test
  void theReservedObjectMustHoldNotes() {
    String message =
        refusal(fields(ENTRY, "'v':" + VECTOR + ",'densehook':{'type':'keyword'}"), false);
    assertTrue(message.contains("the field [densehook] is mapped as [keyword]"), message);
    String object = "'v':" + VECTOR + ",'densehook':{'properties':{'v':{'type':'object'}}}";
    assertEquals(0, judged(null, read(fields(ENTRY, object)), false).size());
    String keyword = mapping("{'bm25':'t'}", "'densehook':{'type':'keyword'}");
    assertEquals(0, judged(null, read(keyword), false).size());
  }

  @Test
  void aVectorInTheReservedObjectIsRefused() {
    String message =
        refusal(
            mapping("{'fields':{'densehook.v':" + ENTRY + "}}", "'densehook':{'type':'object'}"),
            false);
    assertTrue(message.contains("is kept for the notes"), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"nobody", "broken"})
  void anEncoderNobodyHasIsRefusedOnlyWhereNodesEmbed(String encoder) {
    String mapping =
        fields("{'input':'t','encoder':'" + encoder + "','fingerprint':'x'}", "'v':" + VECTOR);
    String message = refusal(mapping, true);
    assertTrue(message.contains("no node has an encoder [" + encoder + "]"), message);
    assertTrue(message.contains("there are [e, raw]"), message);
    assertEquals(1, judged(null, read(mapping), false).size());
  }

  @Test
  void anEncoderThatIsStillLoadingIsToBeAskedForAgain() {
    IndexVectors loading =
        read(fields("{'input':'t','encoder':'slow','fingerprint':'x'}", "'v':" + VECTOR));
    assertThrows(EsRejectedExecutionException.class, () -> judged(null, loading, true));
    assertTrue(judged(null, loading, false).iterator().next().contains("still loading"));
  }

  @Test
  void whereANodeDidNotAnswerNobodySaysThatTheEncoderIsMissing() {
    IndexVectors after =
        read(fields("{'input':'t','encoder':'nobody','fingerprint':'x'}", "'v':" + VECTOR));
    Change change = Change.of(new Target("index [i]", "i", null, after, false, true));
    assertEquals(1, change.judge(new KnownEncoders(List.of(), false)).size());
  }

  @Test
  void whatEmbedsMustSayWhat() {
    for (String mapping :
        List.of(
            "{}",
            mapping("{'bm25':'t'}", ""),
            fields("{'encoder':'e','fingerprint':'f'}", "'v':" + VECTOR),
            fields("{'encoder':'e','fingerprint':'f','input':[]}", "'v':" + VECTOR))) {
      String message = refusal(mapping, true);
      assertTrue(message.contains("index [i] has [index.densehook.embed], and no field"), message);
    }
  }

  @Test
  void takingAwayWhatAnIndexEmbedsIsRefused() {
    IndexVectors before = read(fields(ENTRY, "'v':" + VECTOR));
    IndexVectors after = read("{'properties':{'v':" + VECTOR + "}}");
    assertThrows(IllegalArgumentException.class, () -> judged(before, after, true));
    assertEquals(0, judged(before, after, false).size());
    assertEquals(0, judged(after, after, true).size()); // it was so before
  }

  @Test
  void whatWasWrongBeforeDoesNotKeepOtherChangesOut() {
    String wrong = "{'input':'t','encoder':'e','fingerprint':'g'}";
    IndexVectors before = read(fields(wrong, "'v':" + VECTOR));
    IndexVectors after = read(fields(wrong, "'v':" + VECTOR + ",'new':{'type':'long'}"));
    Collection<String> warnings = judged(before, after, true);
    assertEquals(1, warnings.size());
    assertTrue(warnings.iterator().next().contains("it is [g], but encoder [e]"));
    IndexVectors worse = read(fields(wrong, "'v':" + VECTOR + ",'t':{'type':'object'}"));
    String message =
        assertThrows(IllegalArgumentException.class, () -> judged(before, worse, true))
            .getMessage();
    assertTrue(message.contains("[t] is mapped as [object]"), message);
  }

  @Test
  void aTemplateIsJudgedByWhatItSaysAlone() {
    for (String partial :
        List.of(
            fields("{'input':'t'}", ""),
            fields("{'encoder':'e','fingerprint':'f'}", ""),
            mapping("{'bm25':'t'}", ""))) {
      Target target = new Target("template [t]", null, null, read(partial), false, true);
      assertEquals(0, Change.of(target).judge(KNOWN).size(), partial);
    }
    for (String wrong :
        List.of(
            fields("{'inputs':'t'}", ""),
            fields(ENTRY, "'v':{'type':'text'}"),
            fields(ENTRY, "'v':{'type':'dense_vector','dims':3}"),
            fields("{'encoder':'e','fingerprint':'g'}", ""))) {
      Target target = new Target("template [t]", null, null, read(wrong), false, false);
      String message =
          assertThrows(IllegalArgumentException.class, () -> Change.of(target).judge(KNOWN), wrong)
              .getMessage();
      assertTrue(message.startsWith("template [t]: [_meta.densehook"), message);
    }
  }

  @Test
  void nothingThatJsonCanSayIsWorseThanRefused() {
    for (long seed = 0; seed < 3000; seed++) {
      RandomMappings random = new RandomMappings(seed);
      Map<String, Object> before = random.next();
      Map<String, Object> after = random.next();
      try {
        judged(new IndexVectors(before, false), new IndexVectors(after, false), seed % 2 == 0);
      } catch (IllegalArgumentException e) {
        assertTrue(e.getMessage().startsWith("index [i]"), e.getMessage());
      } catch (RuntimeException e) {
        fail("seed " + seed + ": " + before + " then " + after, e);
      }
    }
  }
}
