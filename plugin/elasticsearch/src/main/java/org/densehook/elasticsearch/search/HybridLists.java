package org.densehook.elasticsearch.search;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.densehook.elasticsearch.compat.Knn;
import org.densehook.fusion.Normalizer;
import org.elasticsearch.index.query.MatchNoneQueryBuilder;
import org.elasticsearch.index.query.MultiMatchQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.StandardRetrieverBuilder;
import org.elasticsearch.search.vectors.VectorData;

/**
 * The lists that a hybrid retriever's shorthand stands for. As in the short forms of Elastic's own
 * retrievers there are two groups of one weight: the text fields, whose scores are added up, and
 * the vector fields, fused among themselves by their own weights.
 *
 * <p>Where the searched indices have vectors of several encoders in a field, there is a list for
 * each: scores of two encoders do not compare. A document is in one of them at most, and has there
 * the rank it has among its like.
 */
final class HybridLists {

  private static final int LEAST_CANDIDATES = 100;

  private final HybridShorthand shorthand;
  private final int rankWindowSize;
  private final List<QueryBuilder> filters;
  private final Supplier<SearchServices> services;

  /**
   * The lists of a retriever.
   *
   * @param filters of all that it finds
   */
  HybridLists(
      HybridShorthand shorthand,
      int rankWindowSize,
      List<QueryBuilder> filters,
      Supplier<SearchServices> services) {
    this.shorthand = shorthand;
    this.rankWindowSize = rankWindowSize;
    this.filters = filters;
    this.services = services;
  }

  /** Of each shard, for so many hits. */
  static int candidates(int hits) {
    return Math.min(Math.max(2 * hits, LEAST_CANDIDATES), HybridRetrieverBuilder.MOST_CANDIDATES);
  }

  /**
   * The retriever with them.
   *
   * @param empty one of the fusion that is stated, without lists
   */
  HybridRetrieverBuilder fill(HybridRetrieverBuilder empty, List<SearchedIndex> indices) {
    HybridFields fields = HybridFields.resolve(indices, shorthand.fields());
    if (shorthand.text().instruction() != null && !indices.isEmpty()) {
      fields.requireEncodedVectors();
    }
    return shorthand.learned() && fields.areBridged()
        ? eachEncoder(empty, fields, indices)
        : fill(empty, fields, indices);
  }

  private HybridRetrieverBuilder fill(
      HybridRetrieverBuilder empty, HybridFields fields, List<SearchedIndex> indices) {
    HybridRetrieverBuilder retriever = empty;
    Normalizer normalizer = shorthand.normalizer();
    if (shorthand.learned() && !indices.isEmpty()) {
      LearnedQuery learned = LearnedQuery.of(shorthand.query(), fields, indices);
      retriever = retriever.learned(learned);
      normalizer = learned.weights().normalizer();
    }
    if (fields.text().isEmpty() && fields.vectors().isEmpty()) {
      RetrieverBuilder none = new StandardRetrieverBuilder(new MatchNoneQueryBuilder());
      retriever.add(none, indices.isEmpty() ? "no index" : "no field", 1, normalizer);
      return retriever;
    }
    if (!fields.text().isEmpty()) {
      retriever.add(text(fields.text()), label(fields.text()), 1, normalizer);
    }
    List<String> names = fields.vectorNames();
    if (fields.text().isEmpty()) {
      addEach(retriever, fields.vectors(), normalizer);
    } else if (names.size() == 1) {
      for (HybridFields.Vector vector : fields.vectors()) {
        retriever.add(vector(vector), label(vector), 1, normalizer);
      }
    } else if (!names.isEmpty()) {
      HybridRetrieverBuilder group = retriever.fresh();
      addEach(group, fields.vectors(), normalizer);
      retriever.add(group, "vectors " + names, 1, normalizer);
    }
    return retriever;
  }

  /**
   * Weights are learned for one encoder: the indices of each are searched as if they were alone,
   * and what is found there is fused by rank. What has no vectors is searched by its text.
   */
  private HybridRetrieverBuilder eachEncoder(
      HybridRetrieverBuilder retriever, HybridFields fields, List<SearchedIndex> indices) {
    Set<String> without = indices.stream().map(SearchedIndex::name).collect(Collectors.toSet());
    for (HybridFields.Vector vector : fields.vectors()) {
      Set<String> own = Set.copyOf(vector.encoder().indices());
      without.removeAll(own);
      HybridRetrieverBuilder part =
          fill(
              retriever.fresh(),
              new HybridFields(fields.text(), List.of(vector)),
              indices.stream().filter(index -> own.contains(index.name())).toList());
      String label = "hybrid" + by(vector);
      retriever.add(part.in(vector.encoder().inItsIndices()), label, 1, Normalizer.NONE);
    }
    if (!without.isEmpty()) {
      RetrieverBuilder text = text(fields.text());
      text.getPreFilterQueryBuilders().add(FieldEncoder.in(without));
      retriever.add(text, label(fields.text()), 1, Normalizer.NONE);
    }
    return retriever;
  }

  private void addEach(
      HybridRetrieverBuilder retriever, List<HybridFields.Vector> vectors, Normalizer normalizer) {
    for (HybridFields.Vector vector : vectors) {
      retriever.add(vector(vector), label(vector), vector.field().boost(), normalizer);
    }
  }

  private static String label(Map<String, Float> text) {
    return "BM25 on " + text.keySet();
  }

  private static String label(HybridFields.Vector vector) {
    String kind = vector.sparse() ? "tokens" : "kNN";
    return kind + " on [" + vector.field().name() + "]" + by(vector);
  }

  private static String by(HybridFields.Vector vector) {
    return vector.isOneOfSeveral() ? " by [" + vector.encoder().name() + "]" : "";
  }

  /** A text that is no date is no reason to refuse to search a date field among others. */
  private RetrieverBuilder text(Map<String, Float> fields) {
    return new StandardRetrieverBuilder(
        new MultiMatchQueryBuilder(shorthand.query())
            .fields(fields)
            .type(MultiMatchQueryBuilder.Type.MOST_FIELDS)
            .lenient(true));
  }

  private RetrieverBuilder vector(HybridFields.Vector vector) {
    HybridField field = vector.field();
    if (vector.sparse()) {
      return new StandardRetrieverBuilder(sparse(vector));
    }
    if (field.passages() != null) {
      return new StandardRetrieverBuilder(passages(vector));
    }
    int candidates = candidates(rankWindowSize);
    if (field.vector() != null) {
      float[] given = new float[field.vector().size()];
      for (int dim = 0; dim < given.length; dim++) {
        given[dim] = field.vector().get(dim);
      }
      VectorData data = VectorData.fromFloats(given);
      return Knn.retriever(field.name(), data, rankWindowSize, candidates);
    }
    TextVectorBuilder text =
        new TextVectorBuilder(
            services, shorthand.text(), vector.encoder(), HybridRetrieverBuilder.WANTS);
    RetrieverBuilder knn = Knn.retriever(field.name(), text, rankWindowSize, candidates);
    if (vector.isOneOfSeveral()) {
      knn.getPreFilterQueryBuilders().add(vector.encoder().inItsIndices());
    }
    return knn;
  }

  private QueryBuilder passages(HybridFields.Vector vector) {
    HybridField field = vector.field();
    DenseOptions options =
        new DenseOptions(null, candidates(rankWindowSize), true, null, null, field.passages());
    DenseQueryBuilder dense =
        new DenseQueryBuilder(services, field.name(), shorthand.text(), options)
            .by(vector.encoder());
    dense.stands(FilterQueries.of(filters), rankWindowSize, false);
    return dense;
  }

  /** By the tokens that are given, or by the encoder's. */
  private QueryBuilder sparse(HybridFields.Vector vector) {
    HybridField field = vector.field();
    return vector.encoder() == null
        ? SparseQueryBuilder.ofTerms(field.name(), field.tokens())
        : new SparseQueryBuilder(services, field.name(), shorthand.query()).by(vector.encoder());
  }
}
