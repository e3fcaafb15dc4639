package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.lucene.index.DocValues;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.SortedNumericDocValues;
import org.densehook.chunk.Sentences;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.JoinedInputs;
import org.densehook.elasticsearch.vectors.Modality;
import org.elasticsearch.common.lucene.search.Queries;
import org.elasticsearch.index.mapper.MappedFieldType;
import org.elasticsearch.index.query.SearchExecutionContext;
import org.elasticsearch.search.fetch.subphase.highlight.FieldHighlightContext;
import org.elasticsearch.search.fetch.subphase.highlight.HighlightField;
import org.elasticsearch.search.fetch.subphase.highlight.Highlighter;
import org.elasticsearch.xcontent.Text;

/**
 * Shows what of a field's text is most like a query: chunks, which have their vectors, or
 * sentences, which get theirs now. Nothing in it is marked, since the whole of it is what was
 * found.
 */
final class PassageHighlighter implements Highlighter {

  private final Supplier<SearchServices> services;

  PassageHighlighter(Supplier<SearchServices> services) {
    this.services = services;
  }

  /** A piece of a text; the places of a hit's pieces are in their order. */
  record Piece(int place, String text, float score) {}

  /** Where a chunk is in its text, and how like the query. */
  private record ScoredChunk(int start, int end, float score) {}

  @Override
  public boolean canHighlight(MappedFieldType fieldType) {
    return true;
  }

  @Override
  public HighlightField highlight(FieldHighlightContext context) throws IOException {
    if (!(context.query instanceof HighlightedVectors asked)) {
      return null;
    }
    SearchExecutionContext index = context.context.getSearchExecutionContext();
    EmbeddedField field =
        services
            .get()
            .indexVectors()
            .of(index.getIndexSettings().getIndexMetadata())
            .fields()
            .get(asked.field());
    float[] vector = field == null ? null : asked.vector(field.fingerprint());
    if (vector == null
        || field.text().modality() != Modality.TEXT
        || !field.inputs().contains(context.fieldName)) {
      return null;
    }
    EncoderHandle encoder = services.get().encoders().require(field.encoder());
    Map<String, Object> document = context.hitContext.source().source();
    JoinedInputs text = JoinedInputs.of(field, encoder, document);
    List<Piece> pieces =
        field.isChunked()
            ? best(context, scored(context, index, field, vector), text)
            : sentences(context, encoder, field, vector, asked, text, field.prompt(document));
    return pieces.isEmpty() ? null : shown(context, pieces);
  }

  /** The pieces of the best chunks: of a long text only those that are shown are cut out. */
  private static List<Piece> best(
      FieldHighlightContext context, List<ScoredChunk> chunks, JoinedInputs text) {
    List<Piece> pieces = new ArrayList<>();
    chunks.sort(Comparator.comparing(ScoredChunk::score).reversed());
    for (ScoredChunk chunk : chunks) {
      String piece = text.within(context.fieldName, chunk.start(), chunk.end());
      if (!piece.isEmpty()) {
        pieces.add(new Piece(chunk.start(), piece, chunk.score()));
      }
      if (pieces.size() == most(context)) {
        break;
      }
    }
    return pieces;
  }

  /** A hit's chunks in their order. */
  private static List<ScoredChunk> scored(
      FieldHighlightContext context,
      SearchExecutionContext index,
      EmbeddedField field,
      float[] vector)
      throws IOException {
    LeafReaderContext segment = context.hitContext.readerContext();
    ChunkScores chunks =
        ChunkScores.of(
            segment,
            field.name(),
            vector,
            index.bitsetFilter(Queries.newNonNestedFilter(index.indexVersionCreated())));
    List<ScoredChunk> scored = new ArrayList<>();
    if (chunks == null) {
      return scored;
    }
    Numbers starts = new Numbers(segment.reader(), field.path() + "." + EmbeddedField.START);
    Numbers ends = new Numbers(segment.reader(), field.path() + "." + EmbeddedField.END);
    for (ChunkScores.Scored chunk : chunks.of(context.hitContext.docId())) {
      int start = starts.of(chunk.document());
      scored.add(new ScoredChunk(start, ends.of(chunk.document()), chunk.score()));
    }
    return scored;
  }

  /** A number that each chunk has. */
  private record Numbers(SortedNumericDocValues values) {

    Numbers(LeafReader segment, String field) throws IOException {
      this(DocValues.getSortedNumeric(segment, field));
    }

    /** That of a chunk; 0 where it has none. */
    int of(int chunk) throws IOException {
      return values.advanceExact(chunk) ? Math.toIntExact(values.nextValue()) : 0;
    }
  }

  private List<Piece> sentences(
      FieldHighlightContext context,
      EncoderHandle encoder,
      EmbeddedField field,
      float[] vector,
      HighlightedVectors asked,
      JoinedInputs text,
      String prompt)
      throws IOException {
    List<String> sentences =
        Sentences.of(text.of(context.fieldName)).stream().limit(asked.maxSentences()).toList();
    SentenceVectors vectors =
        SentenceVectors.of(context, services.get().encoders(), encoder, asked.time());
    return vectors.scored(sentences, prompt, field.name(), vector);
  }

  private static int most(FieldHighlightContext context) {
    return Math.max(1, context.field.fieldOptions().numberOfFragments());
  }

  private static HighlightField shown(FieldHighlightContext context, List<Piece> pieces) {
    List<Piece> best =
        pieces.stream()
            .sorted(Comparator.comparing(Piece::score).reversed())
            .limit(most(context))
            .toList();
    if (!context.field.fieldOptions().scoreOrdered()) {
      best = best.stream().sorted(Comparator.comparing(Piece::place)).toList();
    }
    Text[] fragments = best.stream().map(piece -> new Text(piece.text())).toArray(Text[]::new);
    return new HighlightField(context.fieldName, fragments);
  }
}
