package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.densehook.elasticsearch.compat.Knn;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.fusion.Normalizer;
import org.elasticsearch.common.bytes.BytesReference;
import org.elasticsearch.index.query.AbstractQueryBuilder;
import org.elasticsearch.index.query.MatchNoneQueryBuilder;
import org.elasticsearch.index.query.MultiMatchQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.StandardRetrieverBuilder;
import org.elasticsearch.search.vectors.VectorData;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xcontent.XContentParserConfiguration;
import org.elasticsearch.xcontent.json.JsonXContent;

/**
 * The lists that a hybrid retriever's shorthand stands for. As in the short forms of Elastic's own
 * retrievers there are two groups of one weight: the text fields, whose scores are added up, and
 * the vector fields, fused among themselves by their own weights.
 */
final class HybridLists {

  private static final int LEAST_CANDIDATES = 100;

  private final HybridShorthand shorthand;
  private final int rankWindowSize;
  private final Supplier<SearchServices> services;

  HybridLists(HybridShorthand shorthand, int rankWindowSize, Supplier<SearchServices> services) {
    this.shorthand = shorthand;
    this.rankWindowSize = rankWindowSize;
    this.services = services;
  }

  /**
   * The retriever with them.
   *
   * @param empty one of the fusion that is stated, without lists
   */
  HybridRetrieverBuilder fill(HybridRetrieverBuilder empty, List<SearchedIndex> indices) {
    HybridRetrieverBuilder retriever = empty;
    HybridFields fields = HybridFields.resolve(indices, shorthand.fields());
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
      retriever.add(text(fields.text()), "BM25 on " + fields.text().keySet(), 1, normalizer);
    }
    if (fields.text().isEmpty()) {
      addEach(retriever, fields.vectors(), normalizer);
    } else if (fields.vectors().size() == 1) {
      HybridFields.Vector only = fields.vectors().get(0);
      retriever.add(vector(only), label(only), 1, normalizer);
    } else if (!fields.vectors().isEmpty()) {
      HybridRetrieverBuilder group = retriever.fresh();
      addEach(group, fields.vectors(), normalizer);
      List<String> names = fields.vectors().stream().map(vector -> vector.field().name()).toList();
      retriever.add(group, "vectors " + names, 1, normalizer);
    }
    return retriever;
  }

  private void addEach(
      HybridRetrieverBuilder retriever, List<HybridFields.Vector> vectors, Normalizer normalizer) {
    for (HybridFields.Vector vector : vectors) {
      retriever.add(vector(vector), label(vector), vector.field().boost(), normalizer);
    }
  }

  private static String label(HybridFields.Vector vector) {
    String kind = vector.field().tokens() == null ? "kNN" : "tokens";
    return kind + " on [" + vector.field().name() + "]";
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
    if (field.tokens() != null) {
      return new StandardRetrieverBuilder(sparse(field));
    }
    int most = HybridRetrieverBuilder.MOST_CANDIDATES;
    int candidates = Math.min(Math.max(2 * rankWindowSize, LEAST_CANDIDATES), most);
    if (field.vector() != null) {
      float[] given = new float[field.vector().size()];
      for (int dim = 0; dim < given.length; dim++) {
        given[dim] = field.vector().get(dim);
      }
      VectorData data = VectorData.fromFloats(given);
      return Knn.retriever(field.name(), data, rankWindowSize, candidates);
    }
    EmbeddedField provenance = vector.provenance();
    TextVectorBuilder text =
        new TextVectorBuilder(
            services, shorthand.query(), provenance.encoder(), provenance.fingerprint());
    return Knn.retriever(field.name(), text, rankWindowSize, candidates);
  }

  /** The query is x-pack's, which is known by name alone. */
  private QueryBuilder sparse(HybridField field) {
    try (XContentBuilder json = JsonXContent.contentBuilder()) {
      json.startObject().startObject("sparse_vector");
      json.field("field", field.name()).field("query_vector", field.tokens());
      json.endObject().endObject();
      XContentParserConfiguration names =
          XContentParserConfiguration.EMPTY.withRegistry(services.get().names());
      try (XContentParser parser =
          JsonXContent.jsonXContent.createParser(names, BytesReference.bytes(json).streamInput())) {
        return AbstractQueryBuilder.parseTopLevelQuery(parser);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
