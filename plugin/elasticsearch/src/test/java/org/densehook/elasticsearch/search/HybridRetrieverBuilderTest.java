package org.densehook.elasticsearch.search;

import static org.densehook.elasticsearch.compat.RewrittenRetrieverBuilder.children;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.ScoreDoc;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.common.ParsingException;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.IndexVersion;
import org.elasticsearch.index.query.TermQueryBuilder;
import org.elasticsearch.plugins.SearchPlugin;
import org.elasticsearch.search.SearchModule;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.retriever.CompoundRetrieverBuilder.RetrieverSource;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverParserContext;
import org.elasticsearch.usage.SearchUsage;
import org.elasticsearch.xcontent.NamedXContentRegistry;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xcontent.XContentParserConfiguration;
import org.elasticsearch.xcontent.json.JsonXContent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bodies round trip, mappings resolve, lists fuse; what a node adds is tested on a node. */
final class HybridRetrieverBuilderTest {

  static {
    LogConfigurator.configureESLogging(); // without it an index's metadata cannot be made
  }

  private static final SearchPlugin PLUGIN =
      new SearchPlugin() {
        @Override
        public List<RetrieverSpec<?>> getRetrievers() {
          return List.of(
              new RetrieverSpec<>(
                  HybridRetrieverBuilder.NAME,
                  (parser, context) ->
                      HybridRetrieverBuilder.fromXContent(parser, context, () -> null)));
        }
      };

  private static final XContentParserConfiguration CONFIGURATION =
      XContentParserConfiguration.EMPTY.withRegistry(
          new NamedXContentRegistry(
              new SearchModule(Settings.EMPTY, List.of(PLUGIN)).getNamedXContents()));

  private static final String STANDARD = "{\"standard\":{\"query\":{\"match_all\":{}}}}";

  private static HybridRetrieverBuilder parse(String retriever) throws IOException {
    return (HybridRetrieverBuilder) parseAny(retriever);
  }

  private static RetrieverBuilder parseAny(String retriever) throws IOException {
    try (XContentParser parser = JsonXContent.jsonXContent.createParser(CONFIGURATION, retriever)) {
      return RetrieverBuilder.parseTopLevelRetrieverBuilder(
          parser, new RetrieverParserContext(new SearchUsage(), feature -> true));
    }
  }

  private static HybridRetrieverBuilder body(String fields) throws IOException {
    return parse("{\"hybrid\":{" + fields.replace('\'', '"').replace("STANDARD", STANDARD) + "}}");
  }

  private static IndexMetadata index(String name, String mapping) {
    return IndexMetadata.builder(name)
        .settings(
            Settings.builder()
                .put(IndexMetadata.SETTING_VERSION_CREATED, IndexVersion.current())
                .put(IndexMetadata.SETTING_INDEX_UUID, name))
        .numberOfShards(1)
        .numberOfReplicas(0)
        .putMapping(mapping.replace('\'', '"'))
        .build();
  }

  private static List<SearchedIndex> searched(IndexMetadata... indices) {
    return Arrays.stream(indices)
        .map(
            index ->
                new SearchedIndex(
                    index.getIndex().getName(),
                    new IndexVectorsCache().of(index),
                    () -> List.of("*"),
                    field -> !field.startsWith("hidden")))
        .toList();
  }

  private static IndexMetadata stated(String name, String fingerprint) {
    return index(
        name,
        "{'_doc':{'_meta':{'densehook':{'bm25':'body','fields':{'vector':{'input':['body'],"
            + "'encoder':'mini','fingerprint':'"
            + fingerprint
            + "'}}}},'properties':{'body':{'type':'text','fields':{'raw':{'type':'keyword'}}},"
            + "'meta.source':{'type':'keyword'},'author':{'properties':{'name':{'type':'text'}}},"
            + "'written_by':{'type':'alias','path':'author.name'},"
            + "'same':{'type':'alias','path':'vector'},"
            + "'notes':{'type':'nested','properties':{'text':{'type':'text'}}},"
            + "'vector':{'type':'dense_vector','dims':4},"
            + "'other':{'type':'dense_vector','dims':4},'year':{'type':'integer'},"
            + "'place':{'type':'geo_point'},'tokens':{'type':'sparse_vector'},"
            + "'hidden':{'type':'text'},'hidden_vector':{'type':'dense_vector','dims':4},"
            + "'alias_of_hidden':{'type':'alias','path':'hidden'}}}}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'retrievers':[STANDARD]",
        "'retrievers':[STANDARD,{'retriever':STANDARD,'weight':2.5}],'rank_constant':7",
        "'fusion':'linear','retrievers':[{'weight':0,'normalizer':'zscore','retriever':STANDARD}]",
        "'fusion':'linear','normalizer':'none','retrievers':[STANDARD]",
        "'retrievers':[{'hybrid':{'retrievers':[STANDARD],'rank_window_size':200}}],'min_score':1",
        "'query':'a text'",
        "'query':'a text','weights':'learned','fields':['body','vector'],'rank_window_size':30",
        "'query':'a text','fields':['title^2','body','vector^0.5'],'rank_window_size':30",
        "'query':'a text','fields':'body','fusion':'linear','normalizer':'l2_norm','_name':'h'",
        "'retrievers':[STANDARD],'filter':{'term':{'a':{'value':'b'}}}",
        "'retrievers':[STANDARD],'filter':[{'term':{'a':{'value':'b'}}},{'match_all':{}}]"
      })
  void aBodyIsWrittenAsItIsRead(String fields) throws IOException {
    HybridRetrieverBuilder read = body(fields);
    HybridRetrieverBuilder again = parse(Strings.toString(read));
    assertEquals(read, again);
    assertEquals(read.hashCode(), again.hashCode());
    assertEquals(read.retrieverName(), again.retrieverName());
  }

  @Test
  void differentBodiesAreNotEqual() throws IOException {
    HybridRetrieverBuilder one = body("'retrievers':[STANDARD]");
    assertNotEquals(one, body("'retrievers':[STANDARD],'rank_constant':61"));
    assertNotEquals(one, body("'retrievers':[STANDARD],'fusion':'linear'"));
    assertNotEquals(one, body("'retrievers':[{'retriever':STANDARD,'weight':2}]"));
    assertNotEquals(one, body("'retrievers':[STANDARD],'rank_window_size':99"));
    assertNotEquals(body("'query':'a'"), body("'query':'b'"));
  }

  @Test
  void numbersMayBeInQuotesAsTemplatesWriteThem() throws IOException {
    assertEquals(
        body("'retrievers':[STANDARD],'rank_window_size':30"),
        body("'retrievers':[STANDARD],'rank_window_size':'30'"));
  }

  @Test
  void aCloneKeepsFiltersNameAndMinScore() throws IOException {
    HybridRetrieverBuilder one =
        body("'retrievers':[STANDARD],'min_score':0.5,'_name':'h','filter':{'match_all':{}}");
    HybridRetrieverBuilder clone =
        one.clone(
            children(one).stream().map(child -> new RetrieverSource(child, null)).toList(),
            one.getPreFilterQueryBuilders());
    assertNotSame(one, clone);
    assertEquals(one, clone);
    assertEquals("h", clone.retrieverName());
    assertEquals(0.5f, clone.minScore());
    clone.getPreFilterQueryBuilders().add(new TermQueryBuilder("a", "b"));
    assertEquals(1, one.getPreFilterQueryBuilders().size());
  }

  @Test
  void whatIsWrongIsSaidInTheOutermostLine() {
    ParsingException wrong =
        assertThrows(
            ParsingException.class,
            () ->
                body("'retrievers':[{'hybrid':{'retrievers':[STANDARD],'rank_constant':'few'}}]"));
    assertEquals(
        "[hybrid] [rank_constant] is [few]; it must be a whole number of at least 1",
        wrong.getMessage());
    assertTrue(wrong.getColumnNumber() > 1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'retrievers':null",
        "'retrievers':[null]",
        "'retrievers':[{'retriever':null}]",
        "'retrievers':[{'retriever':[]}]",
        "'retrievers':[[STANDARD]]",
        "'retrievers':[STANDARD],'rank_constant':1e99",
        "'retrievers':[STANDARD],'rank_constant':null",
        "'retrievers':[{'retriever':STANDARD,'weight':1e99}]",
        "'retrievers':[{'retriever':STANDARD,'weight':true}]",
        "'retrievers':[STANDARD],'fusion':{}",
        "'retrievers':[STANDARD],'filter':[1]",
        "'query':3",
        "'query':['a','b']",
        "'query':'a','fields':{'body':2}",
        "'query':'a','fields':[['body']]",
        "'query':'a','fields':['^2']",
        "'query':'a','fields':['body^-1']",
        "'query':'a','fields':['body^NaN']",
        "'query':'\u00a0\u200b\\t'",
        "'query':'a','fields':[{'field':'body'}]",
        "'query':'a','fields':[{'field':'body','query_vector':'x'}]",
        "'query':'a','wrong':1",
        "'query':'a','weights':'learnt'",
        "'query':'a','weights':[1,2]",
        "'query':'a','weights':'learned','fusion':'rrf'",
        "'query':'a','weights':'learned','normalizer':'minmax'",
        "'query':'a','weights':'learned','rank_constant':60",
        "'retrievers':[STANDARD,STANDARD],'weights':'learned'",
        "'retrievers':[{'retriever':STANDARD,'wait':1}]"
      })
  void nothingElseIsTaken(String fields) {
    ParsingException wrong = assertThrows(ParsingException.class, () -> body(fields));
    assertTrue(wrong.getMessage().startsWith("[hybrid] "), wrong.getMessage());
    assertEquals(1, wrong.getMessage().lines().count());
  }

  @Test
  void aTextAloneIsSearchedInWhatTheMappingStates() throws IOException {
    HybridRetrieverBuilder resolved =
        body("'query':'a text','rank_window_size':30,'filter':{'match_all':{}},'min_score':2")
            .resolved(searched(stated("one", "sha256:1"), stated("two", "sha256:1")));
    String json = Strings.toString(resolved);
    assertTrue(json.contains("\"fields\":[\"body^1.0\"]"), json);
    assertTrue(json.contains("\"type\":\"most_fields\""), json);
    assertTrue(json.contains("\"k\":30,\"num_candidates\":100"), json);
    assertTrue(
        json.contains("{\"text\":\"a text\",\"encoder\":\"mini\",\"fingerprint\":\"sha256:1\"}"),
        json);
    assertEquals(2, children(resolved).size());
    assertEquals(1, resolved.getPreFilterQueryBuilders().size());
    assertEquals(2f, resolved.minScore());
  }

  private static final String WEIGHTS =
      "{'fusion':'linear','normalizer':'tmm','intercept':0.5,"
          + "'features':{'length':{'mean':1.0,'deviation':2.0,'coefficient':1.5}}}";

  private static IndexMetadata weighted(String name, String weights) {
    return index(name, weightedMapping(weights));
  }

  private static String weightedMapping(String weights) {
    return "{'_doc':{'_meta':{'densehook':{'bm25':'body','fields':{'vector':{'input':['body'],"
        + "'encoder':'mini','fingerprint':'f','weights':"
        + weights
        + "}}}},'properties':{'body':{'type':'text'},"
        + "'vector':{'type':'dense_vector','dims':4}}}}";
  }

  @Test
  void learnedWeightsAndTheirFusionAreThoseThatTheMappingKeeps() throws IOException {
    HybridRetrieverBuilder resolved =
        body("'query':'four words of text','weights':'learned'")
            .resolved(searched(weighted("one", WEIGHTS), weighted("two", WEIGHTS)));
    String json = Strings.toString(resolved);
    assertTrue(json.contains("\"fusion\":\"linear\""), json);
    assertTrue(json.contains("\"normalizer\":\"tmm\""), json);
    // the level is 0.5 + 1.5 * (2 - 1) / 2
    double share = 0.5 + 0.5 * (1.25 / Math.sqrt(1 + 1.25 * 1.25));
    RankDoc[] fused =
        resolved.combineInnerRetrieverResults(List.of(docs(0, 4, 2), docs(1, 1)), true);
    assertArrayEquals(
        new float[] {(float) share, (float) (1 - share), (float) (0.5 * (1 - share))},
        new float[] {fused[0].score, fused[1].score, fused[2].score});
    Explanation why = fused[0].explain(new Explanation[0], new String[0]);
    assertTrue(
        why.getDescription()
            .contains(
                "sum of weight * normalised score, dense share ["
                    + share
                    + "] learned from length [2.0], over [2] lists"),
        why.getDescription());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'vector'|one text field|are for text fields and one vector field",
        "'body'|WEIGHTS|are for text fields and one vector field",
        "'body','vector'|null|field [vector] of index [two] has no [weights]",
        "'body','vector'|{'fusion':'rrf'}|field [vector] of index [two] has no [weights]",
        "'body','vector'|{'fusion':'rrf','rank_constant':60,'intercept':0,'features':{}}"
            + "|field [vector] has other learned weights in index [one] than in index [two]"
      })
  void weightsThatNobodyLearnedAreRefused(String row) throws IOException {
    String[] parts = row.split("\\|");
    HybridRetrieverBuilder learned =
        body("'query':'a','weights':'learned','fields':[" + parts[0] + "]");
    String other = parts[1].startsWith("{") || parts[1].equals("null") ? parts[1] : WEIGHTS;
    List<SearchedIndex> indices = searched(weighted("one", WEIGHTS), weighted("two", other));
    String reason =
        assertThrows(IllegalArgumentException.class, () -> learned.resolved(indices)).getMessage();
    assertTrue(reason.contains(parts[2]), reason);
  }

  @Test
  void candidatesStayWithinWhatElasticsearchTakes() throws IOException {
    String json =
        Strings.toString(
            body("'query':'a','rank_window_size':9000").resolved(searched(stated("one", "f"))));
    assertTrue(json.contains("\"k\":9000,\"num_candidates\":10000"), json);
  }

  @ParameterizedTest
  @ValueSource(strings = {"body", "body.raw", "meta.source", "author.name", "written_by", "year"})
  void everyTextFieldIsFound(String field) throws IOException {
    HybridFields fields =
        HybridFields.resolve(
            searched(stated("one", "f")), List.of(HybridField.parse(field + "^3")));
    assertEquals(3f, fields.text().get(field));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nowhere|is not mapped in index [one]",
        "author|has type [object]",
        "author.nobody|is not mapped",
        "hidden|is not mapped in index [one]",
        "hidden_vector|is not mapped in index [one]",
        "alias_of_hidden|is not mapped in index [one]",
        "place|has type [geo_point]",
        "tokens|must be given",
        "notes.text|is inside the nested object [notes]",
        "other|is not in its mapping's _meta.densehook.fields",
        "same|is an alias of the vector field [vector]; name that one"
      })
  void aFieldThatCannotBeSearchedIsRefusedByName(String pair) {
    String field = pair.substring(0, pair.indexOf('|'));
    String reason = reasonFor(field, stated("one", "f"));
    assertTrue(reason.contains("[" + field + "]"), reason);
    assertTrue(reason.contains(pair.substring(pair.indexOf('|') + 1)), reason);
  }

  private static String reasonFor(String field, IndexMetadata... indices) {
    return assertThrows(
            IllegalArgumentException.class,
            () -> HybridFields.resolve(searched(indices), List.of(HybridField.parse(field))))
        .getMessage();
  }

  @Test
  void eachEncoderOfAFieldHasAListOfItsOwn() throws IOException {
    List<SearchedIndex> indices =
        searched(stated("two", "sha256:2"), stated("one", "sha256:1"), stated("three", "sha256:1"));
    HybridRetrieverBuilder both =
        body("'query':'a','fields':['body','vector^2']").resolved(indices);
    assertEquals(3, children(both).size());
    String json = Strings.toString(both);
    assertFalse(json.contains("\"weight\":2.0")); // one vector field: a group of one
    String first = Strings.toString(children(both).get(1));
    assertTrue(first.contains("\"fingerprint\":\"sha256:1\""), first);
    assertTrue(first.contains("{\"terms\":{\"_index\":[\"one\",\"three\"]"), first);
    String second = Strings.toString(children(both).get(2));
    assertTrue(second.contains("\"fingerprint\":\"sha256:2\""), second);
    assertTrue(second.contains("{\"terms\":{\"_index\":[\"two\"]"), second);
    RankDoc[] fused =
        both.combineInnerRetrieverResults(
            List.of(docs(0, 9), docs(1, 0.5f, 0.4f), docs(2, 0.9f)), true);
    assertEquals(fused[1].score, fused[2].score); // the best of each encoder's
    String why = fused[1].explain(new Explanation[0], new String[0]).toString();
    assertTrue(why.contains("list [1] [kNN on [vector] by [mini]]: rank [1]"), why);
    HybridRetrieverBuilder alone =
        body("'query':'a','fields':['vector']").resolved(searched(stated("one", "f")));
    assertFalse(Strings.toString(alone).contains("_index"));
  }

  @Test
  void severalVectorFieldsWeighTheListsOfAllTheirEncoders() throws IOException {
    String other = "{'field':'other','query_vector':[1,2,3,4],'boost':3}";
    HybridRetrieverBuilder both =
        body("'query':'a','fields':['body','vector^2'," + other + "]")
            .resolved(searched(stated("one", "sha256:1"), stated("two", "sha256:2")));
    assertEquals(2, children(both).size());
    RetrieverBuilder group = children(both).get(1);
    assertEquals(3, children((HybridRetrieverBuilder) group).size());
    assertEquals(3, Strings.toString(group).split("\"weight\":2.0", -1).length);
  }

  @Test
  void learnedWeightsAreThoseOfEachEncodersIndices() throws IOException {
    String other = WEIGHTS.replace("'intercept':0.5", "'intercept':0.1");
    List<SearchedIndex> indices =
        searched(
            weighted("one", WEIGHTS),
            index("bare", "{'_doc':{'properties':{'body':{'type':'text'}}}}"),
            index("two", weightedMapping(other).replace("'fingerprint':'f'", "'fingerprint':'g'")));
    HybridRetrieverBuilder outer =
        body("'query':'four words of text','weights':'learned'").resolved(indices);
    List<RetrieverBuilder> parts = children(outer);
    assertEquals(3, parts.size());
    for (int part = 0; part < 2; part++) {
      String json = Strings.toString(parts.get(part));
      assertTrue(json.contains("\"normalizer\":\"tmm\""), json);
      String name = part == 0 ? "one" : "two";
      assertTrue(json.contains("{\"terms\":{\"_index\":[\"" + name + "\"]"), json);
    }
    assertNotEquals(parts.get(0), parts.get(1));
    String text = Strings.toString(parts.get(2));
    assertTrue(text.contains("{\"terms\":{\"_index\":[\"bare\"]"), text);
    String reason =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    body("'query':'a','weights':'learned'")
                        .resolved(searched(weighted("one", WEIGHTS), stated("two", "g"))))
            .getMessage();
    assertTrue(reason.contains("field [vector] of index [two] has no [weights]"), reason);
  }

  @Test
  void fieldsOfTwoTypesAreRefusedWithBothNamed() {
    String text =
        reasonFor(
            "vector",
            stated("a", "f"),
            index("b", "{'_doc':{'properties':{'vector':{'type':'text'}}}}"));
    assertTrue(
        text.contains("type [dense_vector] in index [a] and type [text] in index [b]"), text);
  }

  @Test
  void anIndexThatStatesNothingIsSearchedInItsDefaultFields() throws IOException {
    HybridRetrieverBuilder text = body("'query':'a'");
    IndexMetadata bare = index("bare", "{'_doc':{'properties':{'body':{'type':'text'}}}}");
    String json = Strings.toString(text.resolved(searched(bare)));
    assertTrue(json.contains("\"fields\":[\"*^1.0\"]"), json);
    assertTrue(json.contains("\"lenient\":true"), json);
    IndexMetadata empty = index("empty", "{'_doc':{'properties':{}}}");
    assertTrue(Strings.toString(text.resolved(searched(empty))).contains("match_none"));
    assertEquals(1, children(text.resolved(List.of())).size());
  }

  @Test
  void aPatternStandsForTheFieldsItFits() throws IOException {
    List<SearchedIndex> indices = searched(stated("one", "f"));
    HybridFields all = HybridFields.resolve(indices, List.of(HybridField.parse("*^2")));
    assertEquals(Map.of("*", 2f), all.text()); // which of them, the shards find
    assertEquals(1, all.vectors().size()); // those without a known encoder are not meant
    assertEquals("vector", all.vectors().get(0).field().name());
    assertEquals(2f, all.vectors().get(0).field().boost());
    HybridFields vectors = HybridFields.resolve(indices, List.of(HybridField.parse("vec*")));
    assertEquals(Map.of(), vectors.text());
    HybridFields none = HybridFields.resolve(indices, List.of(HybridField.parse("hid*")));
    assertEquals(Map.of(), none.text());
    assertEquals(List.of(), none.vectors());
  }

  @Test
  void anInstructionGoesToTheEncodersOfVectorFields() throws IOException {
    String instructed = "'query':'a','instruction':'Find a cat','fields':";
    HybridRetrieverBuilder both = body(instructed + "['body','vector']");
    assertEquals(both, parse(Strings.toString(both)));
    String json = Strings.toString(both.resolved(searched(stated("one", "f"))));
    assertTrue(json.contains("\"text\":\"a\",\"instruction\":\"Find a cat\""), json);
    String other = "{'field':'other','query_vector':[1,2,3,4]}";
    for (String fields : List.of("['body']", "['body'," + other + "]")) {
      HybridRetrieverBuilder none = body(instructed + fields);
      List<SearchedIndex> indices = searched(stated("one", "f"));
      assertTrue(
          assertThrows(IllegalArgumentException.class, () -> none.resolved(indices))
              .getMessage()
              .startsWith("[hybrid] [instruction] is for the encoder of a dense_vector field"));
    }
    assertTrue(
        assertThrows(
                ParsingException.class,
                () -> body("'retrievers':[STANDARD],'instruction':'Find a cat'"))
            .getMessage()
            .contains("[instruction] is for [query]"));
  }

  @Test
  void aFieldMayBringTheQuerysVectorOrTokens() throws IOException {
    String fields =
        "'query':'a','fields':['body',{'field':'other','query_vector':[1,2,3,4],'boost':2},"
            + "{'field':'tokens','query_vector':{'cat':1.5}}]";
    HybridFields resolved =
        HybridFields.resolve(searched(stated("one", "f")), body(fields).shorthand().fields());
    assertEquals(List.of(1f, 2f, 3f, 4f), resolved.vectors().get(0).field().vector());
    assertEquals(Map.of("cat", 1.5f), resolved.vectors().get(1).field().tokens());
    assertEquals(body(fields), parse(Strings.toString(body(fields))));
  }

  @Test
  void textFieldsAreOneGroupAndVectorFieldsTheOther() throws IOException {
    String other = "{'field':'other','query_vector':[1,2,3,4],'boost':3}";
    HybridRetrieverBuilder both =
        body("'query':'a','fields':['body','vector^2'," + other + "],'rank_window_size':7")
            .resolved(searched(stated("one", "f")));
    String json = Strings.toString(both);
    assertEquals(2, children(both).size());
    RetrieverBuilder group = children(both).get(1);
    assertEquals(2, children((HybridRetrieverBuilder) group).size());
    assertEquals(7, ((HybridRetrieverBuilder) group).window());
    assertTrue(json.contains("\"weight\":3.0"), json);
    HybridRetrieverBuilder one =
        body("'query':'a','fields':['body','vector^2']").resolved(searched(stated("one", "f")));
    assertFalse(Strings.toString(one).contains("\"weight\":2.0")); // a group of one
    HybridRetrieverBuilder alone =
        body("'query':'a','fields':['vector^2'," + other + "]")
            .resolved(searched(stated("one", "f")));
    assertTrue(Strings.toString(alone).contains("\"weight\":2.0"));
  }

  @Test
  void aChildWithoutAWindowTakesItsParents() throws IOException {
    String inner = "{'hybrid':{'retrievers':[STANDARD,{'hybrid':{'query':'a'}}]}}";
    HybridRetrieverBuilder outer = body("'rank_window_size':300,'retrievers':[" + inner + "]");
    HybridRetrieverBuilder child = (HybridRetrieverBuilder) children(outer).get(0);
    assertEquals(300, child.window());
    HybridRetrieverBuilder grandchild = (HybridRetrieverBuilder) children(child).get(1);
    assertEquals(300, grandchild.window());
    HybridRetrieverBuilder stated =
        body("'retrievers':[{'hybrid':{'query':'a','rank_window_size':150}}]");
    HybridRetrieverBuilder kept = (HybridRetrieverBuilder) children(stated).get(0);
    assertEquals(150, kept.window());
  }

  @Test
  void whoParsesAtTheNameGetsItToo() throws IOException {
    String rescorer =
        "{\"rescorer\":{\"rescore\":{\"window_size\":10,\"query\":{\"rescore_query\":"
            + "{\"match_all\":{}}}},\"retriever\":{\"hybrid\":{\"retrievers\":["
            + STANDARD
            + "]}}}}";
    RetrieverBuilder read = parseAny(rescorer);
    assertTrue(Strings.toString(read).contains("\"hybrid\":{"));
  }

  @Test
  void whatIsWrongInAChildIsSaidAlone() {
    ParsingException wrong =
        assertThrows(
            ParsingException.class,
            () -> body("'retrievers':[{'standard':{'query':{'no_such_query':{}}}}]"));
    assertTrue(wrong.getMessage().contains("unknown query [no_such_query]"), wrong.getMessage());
  }

  private static RankDoc[] fuse(String fields, boolean explain, ScoreDoc[]... lists)
      throws IOException {
    return body(fields).combineInnerRetrieverResults(Arrays.asList(lists), explain);
  }

  private static ScoreDoc[] docs(int shard, float... scores) {
    ScoreDoc[] docs = new ScoreDoc[scores.length];
    for (int doc = 0; doc < scores.length; doc++) {
      docs[doc] = new ScoreDoc(doc, scores[doc], shard);
    }
    return docs;
  }

  @Test
  void equalScoresAreOrderedByShardAndDocument() throws IOException {
    RankDoc[] fused =
        fuse("'retrievers':[STANDARD,STANDARD]", false, docs(1, 9, 8, 7), docs(0, 3, 2));
    assertArrayEquals(
        new String[] {"0/0", "1/0", "0/1", "1/1", "1/2"},
        Arrays.stream(fused).map(doc -> doc.shardIndex + "/" + doc.doc).toArray());
    assertArrayEquals(
        new int[] {1, 2, 3, 4, 5}, Arrays.stream(fused).mapToInt(doc -> doc.rank).toArray());
    assertEquals((float) (1 / 61.0), fused[0].score);
  }

  @Test
  void theWindowCutsTheFusedList() throws IOException {
    RankDoc[] fused = fuse("'retrievers':[STANDARD],'rank_window_size':2", false, docs(0, 9, 8, 7));
    assertEquals(2, fused.length);
  }

  @Test
  void noScoreIsNegativeOrEndless() throws IOException {
    String zscore = "'fusion':'linear','normalizer':'zscore','retrievers':[STANDARD]";
    RankDoc[] fused = fuse(zscore, true, docs(0, 3, 2, 1));
    assertEquals(0f, fused[2].score);
    assertEquals((float) (2 * Math.sqrt(1.5)), fused[0].score);
    String none =
        "'fusion':'linear','normalizer':'none','retrievers':[{'retriever':STANDARD,'weight':9}]";
    RankDoc[] endless = fuse(none, false, docs(0, Float.POSITIVE_INFINITY, Float.NaN));
    assertEquals(Float.MAX_VALUE, endless[0].score);
    assertEquals(0f, endless[1].score);
  }
}
