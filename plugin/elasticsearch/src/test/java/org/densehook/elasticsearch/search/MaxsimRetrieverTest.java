package org.densehook.elasticsearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.plugins.SearchPlugin;
import org.elasticsearch.search.SearchModule;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.rescore.QueryRescorerBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverParserContext;
import org.elasticsearch.usage.SearchUsage;
import org.elasticsearch.xcontent.NamedXContentRegistry;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xcontent.XContentParserConfiguration;
import org.elasticsearch.xcontent.json.JsonXContent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the body of a maxsim retriever becomes. */
final class MaxsimRetrieverTest {

  private static final SearchPlugin PLUGIN =
      new SearchPlugin() {
        @Override
        public List<RetrieverSpec<?>> getRetrievers() {
          return SearchNames.retrievers(Settings.EMPTY, () -> null);
        }

        @Override
        public List<QuerySpec<?>> getQueries() {
          return SearchNames.queries(() -> null);
        }
      };

  private static final XContentParserConfiguration CONFIGURATION =
      XContentParserConfiguration.EMPTY.withRegistry(
          new NamedXContentRegistry(
              new SearchModule(Settings.EMPTY, List.of(PLUGIN)).getNamedXContents()));

  private static MaxsimRetriever read(String body) throws IOException {
    String json = "{'densehook_maxsim':{" + body + "}}";
    json = json.replace("CHILD", "'retriever':{'standard':{'query':{'match':{'body':'water'}}}}");
    try (XContentParser parser =
        JsonXContent.jsonXContent.createParser(CONFIGURATION, json.replace('\'', '"'))) {
      return (MaxsimRetriever)
          RetrieverBuilder.parseTopLevelRetrieverBuilder(
              parser, new RetrieverParserContext(new SearchUsage(), feature -> true));
    }
  }

  private static String parsed(String body) throws IOException {
    return Strings.toString(read(body)).replace('"', '\'');
  }

  @Test
  void aBodyIsWrittenAsItIsRead() throws IOException {
    String written =
        parsed(
            "CHILD,'field':'tokens','text':'water','rank_window_size':7,'_name':'n','min_score':2,"
                + "'filter':{'term':{'a':'b'}}");
    assertTrue(written.contains("'field':'tokens','text':'water','rank_window_size':7"), written);
    assertTrue(written.contains("'body':{'query':'water'"), written);
    assertTrue(written.contains("'a':{'value':'b'}"), written);
    assertTrue(written.contains("'min_score':2.0"), written);
    assertTrue(parsed("CHILD,'field':'t','text':'x'").contains("'rank_window_size':100"));
  }

  @Test
  void itScoresByMaxsimAlone() throws IOException {
    SearchSourceBuilder source =
        read("CHILD,'field':'t','text':'x','rank_window_size':7")
            .finalizeSourceBuilder(new SearchSourceBuilder());
    assertEquals(1, source.rescores().size());
    QueryRescorerBuilder rescorer = (QueryRescorerBuilder) source.rescores().get(0);
    assertEquals(7, rescorer.windowSize());
    assertEquals(0f, rescorer.getQueryWeight());
    assertEquals(1f, rescorer.getRescoreQueryWeight());
    assertEquals(MaxsimQueryBuilder.class, rescorer.getRescoreQuery().getClass());
  }

  @Test
  void moreHitsThanAreScoredAreRefusedByItsOwnName() throws IOException {
    MaxsimRetriever retriever = read("CHILD,'field':'t','text':'x','rank_window_size':7");
    assertNull(retriever.validate(new SearchSourceBuilder().size(7), null, false, false));
    assertEquals(
        List.of("[maxsim] requires [rank_window_size: 7] be greater than or equal to [size: 8]"),
        retriever
            .validate(new SearchSourceBuilder().size(8), null, false, false)
            .validationErrors());
  }

  @Test
  void vectorsMayBeGiven() throws IOException {
    String written = parsed("CHILD,'field':'tokens','query_vectors':[[1,2],[3,4.5]]");
    assertTrue(written.contains("'query_vectors':[[1.0,2.0],[3.0,4.5]]"), written);
  }

  @Test
  void anImageStandsInThePlaceOfTheText() throws IOException {
    String written = parsed("CHILD,'field':'patches','image':'iVBOR'");
    assertTrue(written.contains("'field':'patches','image':'iVBOR'"), written);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "CHILD,'field':'t' | needs [text], [image] or [query_vectors], one of the three",
        "CHILD,'field':'t','text':'a','query_vectors':[[1]] | one of the three",
        "CHILD,'field':'t','text':'a','image':'b' | one of the three",
        "CHILD,'field':'t','image':' ' | [image] of [maxsim] is blank; give an image",
        "CHILD,'field':'t','text':' ' | [text] of [maxsim] is blank",
        "CHILD,'field':'t','query_vectors':[[1],[1,2]] | must be a list of lists of numbers",
        "CHILD,'field':'t','query_vectors':[[1,2],[3],[4,5,6]] | all of one length",
        "CHILD,'field':'t','query_vectors':[] | must be a list of lists of numbers",
        "CHILD,'field':'t','query_vectors':[['a']] | must be a list of lists of numbers",
        "'field':'t','text':'a' | needs [retriever], whose hits it scores",
        "CHILD,'text':'a' | [field]",
        "CHILD,'field':'t','text':'a','rank_window_size':0 | is [0]; it must be from 1 to",
        "CHILD,'field':'t','text':'a','rank_window_size':'x' | is [x]; it must be from 1 to",
        "CHILD,'field':'t','text':'a','rank_window_size':1001 | [densehook.maxsim.max_window]",
        "CHILD,'field':'t','text':'a','window':7 | [maxsim] unknown field [window]",
        "CHILD,'field':'t','text':'a','rescore':{} | [maxsim] unknown field [rescore]",
        "CHILD,'field':'t','text':['a'] | [maxsim] text doesn't support values of type",
        "CHILD,'field':'t','text':'a','min_score':'x' | [min_score]",
      })
  void whatCannotBeIsRefusedInALine(String body, String said) {
    Exception refused = assertThrows(Exception.class, () -> parsed(body));
    StringBuilder all = new StringBuilder();
    for (Throwable each = refused; each != null; each = each.getCause()) {
      all.append(each.getMessage()).append('\n');
    }
    assertTrue(all.toString().contains(said), all.toString());
    assertFalse(all.toString().contains("[rescorer]"), all.toString());
  }

  @Test
  void queriesAreEqualByWhatTheyAsk() throws IOException {
    assertEquals(parsed("CHILD,'field':'t','text':'a'"), parsed("'text':'a','field':'t',CHILD"));
  }
}
