package org.densehook.elasticsearch.search;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.densehook.elasticsearch.compat.Knn;
import org.densehook.elasticsearch.compat.RewrittenRetrieverBuilder;
import org.densehook.encode.Content;
import org.elasticsearch.common.Strings;
import org.elasticsearch.index.query.BoolQueryBuilder;
import org.elasticsearch.index.query.BoostingQueryBuilder;
import org.elasticsearch.index.query.ConstantScoreQueryBuilder;
import org.elasticsearch.index.query.DisMaxQueryBuilder;
import org.elasticsearch.index.query.NestedQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryBuilders;
import org.elasticsearch.index.query.functionscore.FunctionScoreQueryBuilder;
import org.elasticsearch.index.query.functionscore.FunctionScoreQueryBuilder.FilterFunctionBuilder;
import org.elasticsearch.index.query.functionscore.ScriptScoreQueryBuilder;
import org.elasticsearch.search.SearchService;
import org.elasticsearch.search.aggregations.AggregationBuilder;
import org.elasticsearch.search.aggregations.AggregatorFactories;
import org.elasticsearch.search.aggregations.bucket.filter.FilterAggregationBuilder;
import org.elasticsearch.search.aggregations.bucket.filter.FiltersAggregationBuilder;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.builder.SubSearchSourceBuilder;
import org.elasticsearch.search.rescore.QueryRescorerBuilder;
import org.elasticsearch.search.rescore.RescorerBuilder;
import org.elasticsearch.search.retriever.CompoundRetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.StandardRetrieverBuilder;
import org.elasticsearch.search.vectors.KnnSearchBuilder;

/**
 * Finds the {@code dense} and {@code sparse} queries of a search and tells each what is around it.
 *
 * <p>The siblings are those that Elasticsearch 9.3 gives to semantic queries: what a {@code bool}
 * requires or excludes beside the clause that holds the query, at every level above it.
 */
final class DensePlaces {

  /** Where a query stands. */
  private record Place(List<QueryBuilder> siblings, boolean nested, int hits) {

    Place alone() {
      return new Place(List.of(), nested, hits);
    }

    Place beside(Collection<QueryBuilder> more) {
      List<QueryBuilder> all = new ArrayList<>(siblings);
      all.addAll(more);
      return new Place(all, nested, hits);
    }

    /** What is outside filters whole documents; it may not be a nested query itself. */
    Place inNested() {
      return new Place(FilterQueries.withoutNested(siblings), true, hits);
    }
  }

  /**
   * A text that a search encodes.
   *
   * @param fields the vector fields it is searched in; none where the mappings say
   */
  record Asked(Content.Text query, List<String> fields) {}

  private final List<DenseQueryBuilder> found = new ArrayList<>();
  private final List<Asked> shorthands = new ArrayList<>();

  /** The texts of {@code dense} and of the short {@code hybrid}, of those that were found. */
  Set<Asked> asked() {
    Set<Asked> asked = new LinkedHashSet<>(shorthands);
    found.stream()
        .filter(dense -> dense.text() != null)
        .forEach(dense -> asked.add(new Asked(dense.text(), List.of(dense.field()))));
    return asked;
  }

  /** Tells every query in the search, and gives those that it found. */
  List<DenseQueryBuilder> find(SearchSourceBuilder source) {
    int hits = source.size() > 0 ? source.size() : SearchService.DEFAULT_SIZE;
    Place alone = new Place(List.of(), false, hits);
    find(source.postFilter(), alone);
    for (SubSearchSourceBuilder search : source.subSearches()) {
      find(search.getQueryBuilder(), alone);
    }
    for (KnnSearchBuilder knn : source.knnSearch()) {
      knn.getFilterQueries().forEach(filter -> find(filter, alone));
    }
    if (source.rescores() != null) {
      for (RescorerBuilder<?> rescorer : source.rescores()) {
        if (rescorer instanceof QueryRescorerBuilder query) {
          find(query.getRescoreQuery(), alone);
        }
      }
    }
    if (source.aggregations() != null) {
      find(source.aggregations(), alone);
    }
    if (source.retriever() != null) {
      find(source.retriever(), alone);
    }
    return found;
  }

  private void find(AggregatorFactories.Builder aggregations, Place place) {
    find(aggregations.getAggregatorFactories(), place);
  }

  private void find(Collection<AggregationBuilder> aggregations, Place place) {
    for (AggregationBuilder aggregation : aggregations) {
      if (aggregation instanceof FilterAggregationBuilder filter) {
        find(filter.getFilter(), place);
      } else if (aggregation instanceof FiltersAggregationBuilder filters) {
        filters.filters().forEach(keyed -> find(keyed.filter(), place));
      }
      find(aggregation.getSubAggregations(), place);
    }
  }

  private void find(RetrieverBuilder retriever, Place place) {
    List<QueryBuilder> filters = retriever.getPreFilterQueryBuilders();
    filters.forEach(filter -> find(filter, place.alone()));
    if (retriever instanceof CompoundRetrieverBuilder<?> compound) {
      find(compound, place.beside(filters));
    } else if (retriever instanceof StandardRetrieverBuilder) {
      SearchSourceBuilder extracted = new SearchSourceBuilder(); // its query is not to be had else
      retriever.extractToSearchSourceBuilder(extracted, false);
      for (SubSearchSourceBuilder search : extracted.subSearches()) {
        find(search.getQueryBuilder(), place); // with the retriever's own filters in a bool
      }
    }
  }

  private void find(CompoundRetrieverBuilder<?> compound, Place place) {
    if (compound instanceof HybridRetrieverBuilder hybrid && hybrid.shorthand() != null) {
      HybridShorthand shorthand = hybrid.shorthand();
      List<String> fields = shorthand.fields().stream().map(HybridField::name).toList();
      shorthands.add(new Asked(shorthand.text(), fields));
    }
    List<RetrieverBuilder> children = RewrittenRetrieverBuilder.children(compound);
    if (children == null) {
      requireNoneIn(compound);
      return;
    }
    Place below = new Place(place.siblings(), false, RewrittenRetrieverBuilder.window(compound));
    children.forEach(child -> find(child, below));
  }

  /** Refuses what could not be told its filters, where this version shows nobody the children. */
  private static void requireNoneIn(CompoundRetrieverBuilder<?> compound) {
    // as a key: in a text the quotes would be escaped
    if (Strings.toString(compound).contains("\"" + DenseQueryBuilder.NAME + "\":{")) {
      throw new IllegalArgumentException(
          "[dense] inside of retriever ["
              + compound.getName()
              + "] needs Elasticsearch 8.19 or 9.1; use it in [hybrid] here, or a knn query with"
              + " [query_vector_builder]");
    }
  }

  private void find(QueryBuilder query, Place place) {
    if (query instanceof DenseQueryBuilder dense) {
      found.add(dense);
      dense.stands(FilterQueries.of(place.siblings()), place.hits(), place.nested());
    } else if (query instanceof SparseQueryBuilder sparse) {
      sparse.stands(place.nested());
    } else if (query instanceof BoolQueryBuilder bool) {
      findInBool(bool, place);
    } else if (query instanceof ConstantScoreQueryBuilder constant) {
      find(constant.innerQuery(), place);
    } else if (query instanceof DisMaxQueryBuilder disMax) {
      disMax.innerQueries().forEach(inner -> find(inner, place));
    } else if (query instanceof BoostingQueryBuilder boosting) {
      find(boosting.positiveQuery(), place);
      find(boosting.negativeQuery(), place.alone());
    } else if (query instanceof FunctionScoreQueryBuilder score) {
      find(score.query(), place);
      for (FilterFunctionBuilder function : score.filterFunctionBuilders()) {
        find(function.getFilter(), place.alone());
      }
    } else if (query instanceof ScriptScoreQueryBuilder score) {
      find(score.query(), place);
    } else if (query instanceof NestedQueryBuilder nested) {
      find(nested.query(), place.inNested());
    }
  }

  private void findInBool(BoolQueryBuilder bool, Place place) {
    for (List<QueryBuilder> clauses :
        List.of(bool.must(), bool.filter(), bool.should(), bool.mustNot())) {
      for (QueryBuilder clause : clauses) {
        // inside a nested object a filter is over whole documents, but for versions that see more
        boolean filters = !place.nested() || Knn.filtersNestedDocuments();
        find(clause, filters ? place.beside(siblings(bool, clause)) : place);
      }
    }
  }

  private static List<QueryBuilder> siblings(BoolQueryBuilder bool, QueryBuilder clause) {
    List<QueryBuilder> siblings = new ArrayList<>();
    bool.must().stream().filter(other -> other != clause).forEach(siblings::add);
    bool.filter().stream().filter(other -> other != clause).forEach(siblings::add);
    bool.mustNot().stream()
        .filter(other -> other != clause)
        .map(other -> QueryBuilders.boolQuery().mustNot(other))
        .forEach(siblings::add);
    return siblings;
  }
}
