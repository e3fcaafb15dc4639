package org.densehook.elasticsearch.search;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.search.ScoreDoc;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.service.PairScores;
import org.densehook.elasticsearch.service.PairsToScore;
import org.densehook.elasticsearch.vectors.DocumentTexts;
import org.densehook.elasticsearch.vectors.IndexVectors.MappedField;
import org.densehook.elasticsearch.vectors.TextlessTypes;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.search.SearchRequest;
import org.elasticsearch.action.search.SearchResponse;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.common.logging.HeaderWarning;
import org.elasticsearch.index.query.RankDocsQueryBuilder;
import org.elasticsearch.search.SearchHit;
import org.elasticsearch.search.builder.PointInTimeBuilder;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.rank.RankDoc.RankKey;
import org.elasticsearch.search.sort.FieldSortBuilder;
import org.elasticsearch.search.sort.ShardDocSortField;
import org.elasticsearch.tasks.TaskCancelledException;

/**
 * One reranking of documents that were found: reads their texts, has them scored, and orders them.
 *
 * @param pit what the search sees
 * @param explain whether its documents know how their scores came about
 */
record Reranking(
    RerankOrder order, SearchServices services, PointInTimeBuilder pit, boolean explain) {

  /** Scores are at least so much: documents without one stand below. */
  private static final float LEAST_SCORED = 1e-30f;

  /** A retriever's documents, best first, with scores that go down as their ranks do. */
  static RankDoc[] inTheirOrder(ScoreDoc[] results, int most) {
    RankDoc[] docs =
        Arrays.stream(results)
            .limit(most)
            .map(each -> new RankDoc(each.doc, each.score, each.shardIndex))
            .toArray(RankDoc[]::new);
    boolean descends = docs.length == 0 || docs[docs.length - 1].score >= 0;
    for (int i = 0; i + 1 < docs.length; i++) {
      descends &= docs[i].score >= docs[i + 1].score; // false for NaN, too
    }
    for (int i = 0; i < docs.length; i++) {
      docs[i].rank = i + 1;
      if (!descends) { // it is sorted by something else
        docs[i].score = 1f / docs[i].rank;
      }
    }
    return docs;
  }

  /**
   * Refuses a field that no mapping has, and one that holds no text.
   *
   * @throws IllegalArgumentException naming it
   */
  void requireFields(List<SearchedIndex> indices) {
    for (String field : order.fields()) {
      if (!indices.isEmpty() && indices.stream().allMatch(index -> index.field(field) == null)) {
        throw new IllegalArgumentException(
            "[rerank] [field] names ["
                + field
                + "], which the mapping of "
                + indices.stream().map(SearchedIndex::name).toList()
                + " has not; name fields with the documents' text");
      }
      indices.forEach(index -> requireText(field, index));
    }
  }

  private static void requireText(String field, SearchedIndex index) {
    for (String source : sources(field, index)) {
      MappedField mapped = index.field(source);
      if (mapped != null && TextlessTypes.contains(mapped.type())) {
        throw new IllegalArgumentException(
            "[rerank] [field] names ["
                + field
                + "]"
                + (source.equals(field) ? "" : ", whose values are those of [" + source + "]")
                + ", which index ["
                + index.name()
                + "] maps as ["
                + mapped.type()
                + "]: it holds no text; name fields with the documents' text");
      }
    }
  }

  /** Where documents of an index have the values of a field; nowhere where it is not mapped. */
  private static List<String> sources(String field, SearchedIndex index) {
    return index.field(field) == null ? List.of() : index.vectors().sourcePaths(field);
  }

  /**
   * Refuses an index whose stored documents lack the text, so that nothing of them can be read.
   *
   * @throws IllegalArgumentException naming what is not kept
   */
  void requireSource(List<SearchedIndex> indices) {
    for (SearchedIndex index : indices) {
      for (String field : order.fields()) {
        for (String source : sources(field, index)) {
          if (!index.vectors().keepsInSource(source)) {
            throw new IllegalArgumentException(
                "[rerank] reads texts from _source, and index ["
                    + index.name()
                    + "] does not keep ["
                    + source
                    + "] there; name fields that it keeps, or search other indices");
          }
        }
      }
    }
  }

  /** Gives the documents in their new order, or, where that is asked for, in the one they had. */
  void order(
      RankDoc[] docs,
      List<SearchedIndex> indices,
      Client client,
      ActionListener<RankDoc[]> listener) {
    ActionListener<RankDoc[]> bearing =
        listener.delegateResponse(
            (asking, failure) -> {
              if (order.onFailure() == RerankOrder.OnFailure.ERROR
                  || failure instanceof TaskCancelledException) {
                asking.onFailure(failure);
              } else {
                warn("no document was scored", failure);
                asking.onResponse(docs);
              }
            });
    ActionListener.run(
        bearing,
        asking -> {
          EncoderHandle encoder = order.serving(services);
          requireSource(indices);
          Map<String, DocumentTexts> rules = new HashMap<>();
          for (SearchedIndex index : indices) {
            rules.put(
                index.name(),
                DocumentTexts.of(
                    index.vectors(), order.fields(), order.template(), services.encoders()));
          }
          client.search(
              reading(docs, rules),
              asking.delegateFailureAndWrap(
                  (next, response) -> score(docs, response, rules, encoder, next)));
        });
  }

  /** A search for the texts of these very documents. */
  private SearchRequest reading(RankDoc[] docs, Map<String, DocumentTexts> rules) {
    Set<String> paths = new LinkedHashSet<>();
    rules.values().forEach(each -> paths.addAll(each.paths(order.chunks() > 0)));
    SearchSourceBuilder source =
        new SearchSourceBuilder()
            .pointInTimeBuilder(pit)
            .query(new RankDocsQueryBuilder(docs, null, true))
            .size(docs.length)
            .trackTotalHits(false)
            .fetchSource(paths.toArray(String[]::new), null)
            .sort(new FieldSortBuilder(FieldSortBuilder.SHARD_DOC_FIELD_NAME));
    SearchRequest request = new SearchRequest().source(source).allowPartialSearchResults(false);
    // the order of the shards is what tells whose a document is
    request.setPreFilterShardSize(Integer.MAX_VALUE);
    return request;
  }

  private void score(
      RankDoc[] docs,
      SearchResponse response,
      Map<String, DocumentTexts> rules,
      EncoderHandle encoder,
      ActionListener<RankDoc[]> listener) {
    Map<RankKey, List<String>> texts = new HashMap<>();
    for (SearchHit hit : response.getHits().getHits()) {
      String cluster = hit.getClusterAlias();
      DocumentTexts rule =
          rules.get(cluster == null ? hit.getIndex() : cluster + ":" + hit.getIndex());
      Map<String, Object> source = hit.getSourceAsMap();
      if (rule != null && source != null) {
        texts.put(key(hit), rule.of(source, order.chunks(), encoder));
      }
    }
    List<Integer> places = new ArrayList<>();
    List<List<String>> given = new ArrayList<>();
    for (int place = 0; place < docs.length; place++) {
      RankDoc doc = docs[place];
      List<String> own = texts.getOrDefault(new RankKey(doc.doc, doc.shardIndex), List.of());
      if (!own.isEmpty()) {
        places.add(place);
        given.add(own);
      }
    }
    SearchScope search = SearchScope.of(services.threadContext());
    services
        .encoders()
        .scorePairs(
            encoder,
            new PairsToScore(order.text(), given, order.chunks()),
            search.timeLeft(),
            search.task(),
            listener.delegateFailureAndWrap(
                (next, scores) -> finish(docs, places, scores, encoder.name(), next)));
  }

  private static RankKey key(SearchHit hit) {
    Object[] sorted = hit.getRawSortValues();
    long place = (long) sorted[sorted.length - 1];
    return new RankKey(
        ShardDocSortField.decodeDoc(place), ShardDocSortField.decodeShardRequestIndex(place));
  }

  private void finish(
      RankDoc[] docs,
      List<Integer> places,
      PairScores scores,
      String encoder,
      ActionListener<RankDoc[]> listener) {
    if (scores.why() != null && order.onFailure() == RerankOrder.OnFailure.ERROR
        || scores.why() != null && scores.scored() == 0) {
      listener.onFailure(scores.why());
      return;
    }
    if (scores.why() != null) {
      warn(scores.scored() + " of " + places.size() + " documents were scored", scores.why());
    }
    listener.onResponse(ordered(docs, places, scores, encoder));
  }

  private static void warn(String what, Exception why) {
    HeaderWarning.addWarning(
        "[rerank] {}, the others keep the order they were found in: {}", what, why.getMessage());
  }

  /** Those with a score first, the others behind them as they were. */
  private RankDoc[] ordered(
      RankDoc[] docs, List<Integer> places, PairScores scores, String encoder) {
    List<RankDoc> scored = new ArrayList<>(docs.length);
    List<RankDoc> others = new ArrayList<>();
    int next = 0;
    for (int place = 0; place < docs.length; place++) {
      boolean asked = next < places.size() && places.get(next) == place;
      float own = asked ? scores.scores()[next] : Float.NaN;
      int best = asked ? scores.best()[next] : 0;
      next += asked ? 1 : 0;
      RankDoc doc = docs[place];
      float score =
          Float.isNaN(own)
              ? Float.MIN_NORMAL * (docs.length - place)
              : positive(own, scores.bounded());
      RankDoc made =
          explain
              ? new RerankedRankDoc(
                  doc.doc,
                  score,
                  doc.shardIndex,
                  new RerankedScore(
                      encoder, own, order.chunks() > 0 ? best : -1, doc.rank, doc.score))
              : new RankDoc(doc.doc, score, doc.shardIndex); // which nodes without the plugin know
      (Float.isNaN(own) ? others : scored).add(made);
    }
    scored.sort(null); // by score, then by shard and document, as the shards will order them
    scored.addAll(others);
    for (int rank = 0; rank < scored.size(); rank++) {
      scored.get(rank).rank = rank + 1;
    }
    return scored.toArray(RankDoc[]::new);
  }

  /**
   * A score as Lucene takes it, above 0, with the order and the digits of the encoder's: one that
   * is from 0 to 1 as it is; else s + 1 from 0 on, and exp(s) below.
   */
  static float positive(float score, boolean bounded) {
    if (bounded) {
      return Math.max(score, LEAST_SCORED);
    }
    return Math.max(score >= 0 ? score + 1 : (float) Math.exp(score), LEAST_SCORED);
  }
}
