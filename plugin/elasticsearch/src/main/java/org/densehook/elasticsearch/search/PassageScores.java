package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.search.DoubleValues;
import org.apache.lucene.search.DoubleValuesSource;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.join.BitSetProducer;

/** The scores of documents, made of those of all their chunks. */
final class PassageScores extends DoubleValuesSource {

  private final String path;
  private final String field;
  private final float[] query;
  private final PassageScoring scoring;
  private final BitSetProducer documents;

  /**
   * Scores for one query.
   *
   * @param path of the objects that hold the chunks
   * @param field the vectors' own, beneath it
   * @param documents which are whole documents
   */
  PassageScores(
      String path, String field, float[] query, PassageScoring scoring, BitSetProducer documents) {
    this.path = path;
    this.field = field;
    this.query = query;
    this.scoring = scoring;
    this.documents = documents;
  }

  /** A chunk's score, and what it was multiplied by. */
  private record Weighed(ChunkScores.Scored chunk, String section, float weight) {

    float score() {
      return chunk.score() * weight;
    }

    Explanation explained(int place) {
      String by =
          section == null
              ? String.format(Locale.ROOT, "weight [%s]", weight)
              : String.format(Locale.ROOT, "weight [%s] of section [%s]", weight, section);
      return Explanation.match(
          score(),
          String.format(Locale.ROOT, "chunk [%d]: similarity [%s]", place, chunk.score())
              + (weight == 1 ? "" : ", " + by));
    }
  }

  private List<Weighed> weighed(ChunkScores chunks, SectionWeights.Sections sections, int document)
      throws IOException {
    List<Weighed> weighed = new ArrayList<>();
    for (ChunkScores.Scored chunk : chunks.of(document)) {
      String section = sections.of(chunk.document());
      weighed.add(new Weighed(chunk, section, sections.weight(section)));
    }
    return weighed;
  }

  private double score(List<Weighed> chunks) {
    return scoring.of(chunks.stream().map(Weighed::score).toList());
  }

  @Override
  public DoubleValues getValues(LeafReaderContext segment, DoubleValues scores) throws IOException {
    ChunkScores chunks = ChunkScores.of(segment, field, query, documents);
    SectionWeights.Sections sections = scoring.weights().in(segment.reader(), path);
    return new DoubleValues() {
      private double score;

      @Override
      public double doubleValue() {
        return score;
      }

      @Override
      public boolean advanceExact(int document) throws IOException {
        List<Weighed> found = chunks == null ? List.of() : weighed(chunks, sections, document);
        score = found.isEmpty() ? 0 : score(found);
        return !found.isEmpty();
      }
    };
  }

  @Override
  public Explanation explain(LeafReaderContext segment, int document, Explanation candidate)
      throws IOException {
    ChunkScores chunks = ChunkScores.of(segment, field, query, documents);
    if (chunks == null) {
      return candidate;
    }
    List<Weighed> found = weighed(chunks, scoring.weights().in(segment.reader(), path), document);
    List<Explanation> details = new ArrayList<>();
    for (Weighed chunk : found) {
      details.add(chunk.explained(details.size()));
    }
    return Explanation.match(
        score(found), scoring.described(found.size()) + " of [" + field + "]", details);
  }

  @Override
  public boolean needsScores() {
    return false;
  }

  @Override
  public DoubleValuesSource rewrite(IndexSearcher searcher) {
    return this;
  }

  @Override
  public boolean isCacheable(LeafReaderContext segment) {
    return true;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PassageScores that
        && path.equals(that.path)
        && field.equals(that.field)
        && Arrays.equals(query, that.query)
        && scoring.equals(that.scoring)
        && documents.equals(that.documents);
  }

  @Override
  public int hashCode() {
    return Objects.hash(path, field, Arrays.hashCode(query), scoring, documents);
  }

  @Override
  public String toString() {
    return scoring.score() + " of the chunks of " + field;
  }
}
