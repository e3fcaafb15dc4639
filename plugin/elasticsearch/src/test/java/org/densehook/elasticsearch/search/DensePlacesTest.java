package org.densehook.elasticsearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.densehook.elasticsearch.compat.Knn;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.io.stream.BytesStreamOutput;
import org.elasticsearch.common.io.stream.NamedWriteableAwareStreamInput;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.plugins.SearchPlugin;
import org.elasticsearch.search.SearchModule;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.usage.UsageService;
import org.elasticsearch.xcontent.NamedXContentRegistry;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xcontent.XContentParserConfiguration;
import org.elasticsearch.xcontent.json.JsonXContent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a dense query is told of the search around it, and what it takes in a request. */
final class DensePlacesTest {

  private static final SearchPlugin PLUGIN =
      new SearchPlugin() {
        @Override
        public List<QuerySpec<?>> getQueries() {
          return SearchNames.queries(() -> null);
        }

        @Override
        public List<RetrieverSpec<?>> getRetrievers() {
          return SearchNames.retrievers(Settings.EMPTY, () -> null);
        }
      };

  private static final SearchModule MODULE = new SearchModule(Settings.EMPTY, List.of(PLUGIN));

  private static final XContentParserConfiguration CONFIGURATION =
      XContentParserConfiguration.EMPTY.withRegistry(
          new NamedXContentRegistry(
              Stream.concat(
                      MODULE.getNamedXContents().stream(),
                      SearchNames.plain(Settings.EMPTY, () -> null).stream())
                  .toList()));

  private static String json(String quoted) {
    return quoted
        .replace("DENSE", "{'dense':{'field':'v','text':'cats'}}")
        .replace('\'', '"')
        .replaceAll("\\b([A-Z])\\b", "{\"term\":{\"letter\":{\"value\":\"$1\"}}}");
  }

  private static SearchSourceBuilder search(String body) throws IOException {
    return searchOf(json(body));
  }

  private static SearchSourceBuilder searchOf(String json) throws IOException {
    SearchSourceBuilder source = new SearchSourceBuilder();
    try (XContentParser parser = JsonXContent.jsonXContent.createParser(CONFIGURATION, json)) {
      source.parseXContent(
          parser, false, new UsageService().getSearchUsageHolder(), feature -> true);
    }
    new DensePlaces().find(source);
    return source;
  }

  /** The letters that stand in the filters of the search's only dense query, ! where excluded. */
  private static String filters(DenseQueryBuilder dense) {
    StringBuilder found = new StringBuilder();
    for (QueryBuilder sibling : dense.siblings()) {
      String text = Strings.toString(sibling).replaceAll("\\s", "");
      found.append(text.contains("must_not") ? "!" : "");
      text.codePoints().filter(Character::isUpperCase).forEach(found::appendCodePoint);
    }
    return found.toString();
  }

  private static DenseQueryBuilder only(SearchSourceBuilder source) {
    List<DenseQueryBuilder> found = new DensePlaces().find(source);
    assertEquals(1, found.size());
    return found.get(0);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'query':DENSE}|''",
        "{'query':{'bool':{'must':DENSE,'filter':A}}}|A",
        "{'query':{'bool':{'must':[DENSE,A],'filter':[B,C],'must_not':E,'should':F}}}|ABC!E",
        "{'query':{'bool':{'should':[DENSE,A],'filter':B}}}|B",
        "{'query':{'bool':{'must_not':[DENSE,A],'filter':B}}}|B!A",
        "{'query':{'bool':{'filter':A,'must':{'bool':{'should':DENSE,'filter':B}}}}}|AB",
        "{'query':{'bool':{'filter':A,'must':{'constant_score':{'filter':DENSE}}}}}|A",
        "{'query':{'bool':{'filter':A,'must':{'dis_max':{'queries':[DENSE,B]}}}}}|A",
        "{'query':{'bool':{'filter':A,'must':{'function_score':{'query':DENSE}}}}}|A",
        "{'query':{'bool':{'filter':A,'must':{'nested':{'path':'p','query':DENSE}}}}}|A",
        "{'query':{'bool':{'filter':{'nested':{'path':'p','query':A}},'must':DENSE}}}|A",
        "{'query':A,'post_filter':DENSE}|''",
        "{'query':A,'post_filter':{'bool':{'must':[DENSE,B]}}}|B",
        "{'query':A,'aggs':{'f':{'filter':{'bool':{'must':[DENSE,B]}}}}}|B",
        "{'query':A,'aggs':{'f':{'filters':{'filters':{'one':{'bool':{'must':[DENSE,B]}}}}}}}|B",
        "{'query':A,'aggs':{'f':{'filter':B,'aggs':{'g':{'filter':DENSE}}}}}|''",
        "{'retriever':{'standard':{'query':DENSE,'filter':A}}}|A",
        "{'retriever':{'standard':{'query':{'bool':{'must':DENSE,'filter':B}},'filter':A}}}|AB",
        "{'retriever':{'hybrid':{'filter':A,'retrievers':[{'standard':{'query':DENSE}}]}}}|A",
        "{'retriever':{'densehook_hybrid':{'filter':A,'retrievers':[{'hybrid':{'retrievers':["
            + "{'standard':{'query':DENSE,'filter':B}}]}}]}}}|AB"
      })
  void siblingsThatMustHoldBecomeFilters(String body, String expected) throws IOException {
    assertEquals(expected, filters(only(search(body))));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // what is beside a dense query is no filter where it is a dense query itself
        "{'query':{'bool':{'must':[DENSE,{'bool':{'must':[DENSE,A]}}]}}}|A|A",
        // a should that may be answered by another dense query filters nothing
        "{'query':{'bool':{'must':[DENSE,{'bool':{'should':[DENSE,A]}}]}}}|''|''",
        // excluding less is not excluding more
        "{'query':{'bool':{'must':DENSE,'must_not':{'bool':{'must':[DENSE,A]}}}}}|''|A"
      })
  void oneDenseQueryIsNoFilterOfAnother(String body, String first, String second)
      throws IOException {
    List<DenseQueryBuilder> found = new DensePlaces().find(search(body));
    assertEquals(2, found.size());
    assertEquals(first, filters(found.get(0)));
    assertEquals(second, filters(found.get(1)));
  }

  @Test
  void insideANestedObjectAFilterIsOverWholeDocumentsOrNone() throws IOException {
    String body =
        "{'query':{'bool':{'filter':[A,{'nested':{'path':'p','query':B}}],'must':"
            + "{'nested':{'path':'p','query':{'bool':{'must':DENSE,'filter':C}}}}}}}";
    String expected = Knn.filtersNestedDocuments() ? "AC" : "A";
    assertEquals(expected, filters(only(search(body))));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'query':DENSE}|10",
        "{'query':DENSE,'size':0}|10",
        "{'query':DENSE,'size':25}|25",
        "{'size':0,'aggs':{'f':{'filter':DENSE}}}|10",
        "{'size':3,'retriever':{'standard':{'query':DENSE}}}|3",
        "{'size':0,'retriever':{'hybrid':{'retrievers':[{'standard':{'query':DENSE}}]}}}|100"
      })
  void itIsToldHowManyHitsAreWanted(String body, int expected) throws IOException {
    assertEquals(expected, only(search(body)).hits());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'dense':{'field':'v','text':' '}}",
        "{'dense':{'field':'v','text':'\u00a0\u200b\ufeff'}}",
        "{'dense':{'field':'v','text':'a','k':0}}",
        "{'dense':{'field':'v','text':'a','k':5,'num_candidates':4}}",
        "{'dense':{'field':'v','text':'a','rescore_vector':{'oversample':0.5}}}",
        "{'dense':{'field':'v'}}",
        "{'dense':{'field':'v','text':'a','auto_filter':'maybe'}}"
      })
  void itRefusesWhatMakesNoSense(String query) {
    assertThrows(Exception.class, () -> search("{'query':" + query + "}"));
  }

  @Test
  void itIsWrittenAsItIsReadInJsonAndBetweenNodes() throws IOException {
    String query =
        "{'dense':{'field':'v','text':'cats','k':3,'num_candidates':9,'auto_filter':false,"
            + "'similarity':0.5,'rescore_vector':{'oversample':2.0},'filter':[A],'boost':2.0,"
            + "'_name':'n'}}";
    QueryBuilder read = search("{'query':" + query + "}").query();
    String again = Strings.toString(read);
    assertTrue(again.contains("densehook_dense"), again);
    assertEquals(read, searchOf("{\"query\":" + again + "}").query());
    NamedWriteableRegistry names = new NamedWriteableRegistry(MODULE.getNamedWriteables());
    try (BytesStreamOutput out = new BytesStreamOutput()) {
      out.writeNamedWriteable(read);
      try (StreamInput in = new NamedWriteableAwareStreamInput(out.bytes().streamInput(), names)) {
        QueryBuilder received = in.readNamedWriteable(QueryBuilder.class);
        assertEquals(again, Strings.toString(received));
        assertEquals(-1, in.read());
      }
    }
  }

  @Test
  void aRetrieverWithoutDenseQueriesIsLeftAlone() throws IOException {
    SearchSourceBuilder source =
        search("{'retriever':{'standard':{'query':{'term':{'a':{'value':'b','_name':'n'}}}}}}");
    RetrieverBuilder retriever = source.retriever();
    assertTrue(Strings.toString(retriever).contains("\"_name\":\"n\""));
    assertFalse(Strings.toString(retriever).contains("bool"));
  }
}
