package org.densehook.elasticsearch.search;

import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.elasticsearch.index.query.BoolQueryBuilder;
import org.elasticsearch.index.query.BoostingQueryBuilder;
import org.elasticsearch.index.query.ConstantScoreQueryBuilder;
import org.elasticsearch.index.query.DisMaxQueryBuilder;
import org.elasticsearch.index.query.NestedQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.functionscore.FunctionScoreQueryBuilder;
import org.elasticsearch.index.query.functionscore.ScriptScoreQueryBuilder;

/**
 * Queries as filters of a kNN search, without the clauses that cannot be in one. What is left
 * matches at least what the query matches, so that no document is lost by it.
 */
final class FilterQueries {

  private FilterQueries() {}

  /** Without {@code dense} queries: a list of nearest neighbours is no filter of another. */
  static List<QueryBuilder> of(List<QueryBuilder> queries) {
    return without(DenseQueryBuilder.class::isInstance, queries);
  }

  /** Without nested queries, which a kNN search in a nested object cannot have as filters. */
  static List<QueryBuilder> withoutNested(List<QueryBuilder> queries) {
    return without(NestedQueryBuilder.class::isInstance, queries);
  }

  private static List<QueryBuilder> without(
      Predicate<QueryBuilder> dropped, List<QueryBuilder> queries) {
    return queries.stream().map(query -> widened(query, dropped)).filter(Objects::nonNull).toList();
  }

  /** The query itself, or one that matches more; null for one that matches everything. */
  private static QueryBuilder widened(QueryBuilder query, Predicate<QueryBuilder> dropped) {
    if (dropped.test(query)) {
      return null;
    }
    if (query instanceof BoolQueryBuilder bool) {
      return bool(bool, dropped);
    }
    if (query instanceof ConstantScoreQueryBuilder constant) {
      return instead(constant, constant.innerQuery(), dropped);
    }
    if (query instanceof BoostingQueryBuilder boosting) {
      return instead(boosting, boosting.positiveQuery(), dropped);
    }
    if (query instanceof FunctionScoreQueryBuilder score) {
      return instead(score, score.query(), dropped);
    }
    if (query instanceof ScriptScoreQueryBuilder score) {
      return instead(score, score.query(), dropped);
    }
    if (query instanceof NestedQueryBuilder nested) {
      return untouched(nested.query(), dropped) ? nested : null;
    }
    if (query instanceof DisMaxQueryBuilder disMax) {
      return untouched(disMax.innerQueries(), dropped) ? disMax : null;
    }
    return query;
  }

  private static QueryBuilder instead(
      QueryBuilder outer, QueryBuilder inner, Predicate<QueryBuilder> dropped) {
    QueryBuilder kept = widened(inner, dropped);
    return kept == inner ? outer : kept;
  }

  private static QueryBuilder bool(BoolQueryBuilder bool, Predicate<QueryBuilder> dropped) {
    if (untouched(bool.must(), dropped)
        && untouched(bool.filter(), dropped)
        && untouched(bool.should(), dropped)
        && untouched(bool.mustNot(), dropped)) {
      return bool;
    }
    BoolQueryBuilder kept = new BoolQueryBuilder();
    without(dropped, bool.must()).forEach(kept::filter);
    without(dropped, bool.filter()).forEach(kept::filter);
    // what is excluded must not become more
    bool.mustNot().stream().filter(query -> untouched(query, dropped)).forEach(kept::mustNot);
    boolean optional = bool.minimumShouldMatch() == null && requires(bool);
    if (untouched(bool.should(), dropped) && !optional && !bool.should().isEmpty()) {
      BoolQueryBuilder any = new BoolQueryBuilder();
      bool.should().forEach(any::should);
      kept.filter(any.minimumShouldMatch(bool.minimumShouldMatch()));
    }
    return kept.hasClauses() ? kept : null;
  }

  private static boolean requires(BoolQueryBuilder bool) {
    return !bool.must().isEmpty() || !bool.filter().isEmpty();
  }

  private static boolean untouched(List<QueryBuilder> queries, Predicate<QueryBuilder> dropped) {
    return queries.stream().allMatch(query -> untouched(query, dropped));
  }

  private static boolean untouched(QueryBuilder query, Predicate<QueryBuilder> dropped) {
    return widened(query, dropped) == query;
  }
}
