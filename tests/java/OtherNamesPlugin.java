import java.util.List;
import org.elasticsearch.index.query.MatchAllQueryBuilder;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.plugins.SearchPlugin;
import org.elasticsearch.search.retriever.StandardRetrieverBuilder;

/**
 * A plugin that has the names {@code dense} and {@code hybrid} for what is its own: a query that
 * every document matches, and a retriever that is Elasticsearch's {@code standard} one.
 */
public final class OtherNamesPlugin extends Plugin implements SearchPlugin {

  @Override
  public List<QuerySpec<?>> getQueries() {
    return List.of(
        new QuerySpec<MatchAllQueryBuilder>(
            "dense",
            MatchAllQueryBuilder::new,
            parser -> {
              parser.map();
              return new MatchAllQueryBuilder();
            }));
  }

  @Override
  public List<RetrieverSpec<?>> getRetrievers() {
    return List.of(
        new RetrieverSpec<StandardRetrieverBuilder>(
            "hybrid", StandardRetrieverBuilder::fromXContent));
  }
}
