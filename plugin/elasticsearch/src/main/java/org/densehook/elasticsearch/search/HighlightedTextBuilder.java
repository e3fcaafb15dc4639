package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.compat.RewrittenQueryBuilder;
import org.densehook.elasticsearch.service.Wire;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.FieldFormat;
import org.densehook.elasticsearch.vectors.Modality;
import org.densehook.encode.Content;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.action.ResolvedIndices;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.index.query.MatchNoneQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryRewriteContext;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * The text that a highlighter of type {@code densehook} looks for, until it is encoded on the
 * coordinating node. It has no form in requests.
 */
final class HighlightedTextBuilder extends RewrittenQueryBuilder<HighlightedTextBuilder> {

  static final String NAME = "densehook_highlighted_text";

  /**
   * What is asked of the highlighter.
   *
   * @param name the field whose text is shown
   * @param fields where the text is searched for; of them one is the vector field, or of those that
   *     the mappings state where there are none
   * @param time how long hits may wait for their sentences' vectors
   */
  private record Asked(
      String name, Content.Text query, List<String> fields, int maxSentences, TimeValue time) {

    static Asked read(StreamInput in, int version) throws IOException {
      String name = in.readString();
      String text = in.readString();
      List<String> fields = in.readStringCollectionAsList();
      int maxSentences = in.readVInt();
      TimeValue time = in.readTimeValue();
      Content.Text query = new Content.Text(text, Wire.readInstruction(in, version));
      return new Asked(name, query, fields, maxSentences, time);
    }
  }

  private final Supplier<SearchServices> services;
  private final Asked asked;

  // what it waits for: first the mappings, then the vectors
  private final Supplier<List<SearchedIndex>> searched;
  private final Supplier<HighlightedVectors> encoded;

  HighlightedTextBuilder(
      Supplier<SearchServices> services,
      String name,
      Content.Text query,
      List<String> fields,
      int maxSentences,
      TimeValue time) {
    this(services, new Asked(name, query, fields, maxSentences, time), null, null);
  }

  private HighlightedTextBuilder(
      Supplier<SearchServices> services,
      Asked asked,
      Supplier<List<SearchedIndex>> searched,
      Supplier<HighlightedVectors> encoded) {
    this.services = services;
    this.asked = asked;
    this.searched = searched;
    this.encoded = encoded;
  }

  /** Reads it from another node. */
  HighlightedTextBuilder(Supplier<SearchServices> services, StreamInput in) throws IOException {
    super(in);
    this.services = services;
    asked = Wire.read(in, Asked::read);
    searched = null;
    encoded = null;
  }

  @Override
  protected QueryBuilder doRewrite(QueryRewriteContext context) {
    if (encoded != null) {
      return encoded.get() == null ? this : new HighlightedVectorsBuilder(encoded.get());
    }
    ResolvedIndices indices = context.getResolvedIndices();
    if (indices == null) {
      return this;
    }
    Supplier<List<SearchedIndex>> mappings =
        searched == null ? SearchedIndices.of(services.get(), indices, context) : searched;
    List<SearchedIndex> known = mappings.get();
    if (known == null) {
      return searched == null ? new HighlightedTextBuilder(services, asked, mappings, null) : this;
    }
    if (known.isEmpty()) {
      return new MatchNoneQueryBuilder();
    }
    String field = vectorField(known);
    String wants = PassageHighlights.called(asked.name());
    List<FieldEncoder> encoders = DenseProvenance.of(field, known, Kind.DENSE, wants);
    return new HighlightedTextBuilder(
        services,
        asked,
        null,
        Awaited.by(
            context,
            (client, listener) ->
                DenseQueryBuilder.encode(
                    services,
                    asked.query(),
                    client,
                    encoders,
                    wants,
                    listener.map(vectors -> highlighted(field, vectors)))));
  }

  private HighlightedVectors highlighted(String field, List<DenseQueryBuilder.Encoded> vectors) {
    Map<String, float[]> byFingerprint =
        vectors.stream()
            .collect(
                Collectors.toMap(
                    each -> each.encoder().provenance().fingerprint(),
                    DenseQueryBuilder.Encoded::vector,
                    (first, same) -> first));
    return new HighlightedVectors(field, byFingerprint, asked.maxSentences(), asked.time());
  }

  /** Whether sentences can be compared with the query by what a field's encoder gives. */
  private static boolean hasVectors(SearchedIndex index, String name) {
    EmbeddedField stated = index.embedded(name);
    return stated != null
        && stated.format().type().equals(FieldFormat.BY_KIND.get(Kind.DENSE).type())
        && stated.text().modality() == Modality.TEXT;
  }

  /** Refuses a field that is made of what has no sentences. */
  private void requireTexts(String field, List<SearchedIndex> indices) {
    for (SearchedIndex index : indices) {
      EmbeddedField stated = index.embedded(field);
      if (stated != null && stated.text().modality() != Modality.TEXT) {
        throw PassageHighlights.refused(
            asked.name(),
            "cannot show passages by field ["
                + field
                + "], which index ["
                + index.name()
                + "] makes of "
                + stated.text().modality().many()
                + "; give [options] {\"field\": …}, one that is made of texts");
      }
    }
  }

  private String vectorField(List<SearchedIndex> indices) {
    Set<String> stated = new TreeSet<>();
    for (SearchedIndex index : indices) {
      index.stated().stream().filter(name -> hasVectors(index, name)).forEach(stated::add);
    }
    Set<String> named = new TreeSet<>(asked.fields());
    named.retainAll(stated);
    Set<String> possible = asked.fields().isEmpty() ? stated : named;
    if (asked.fields().size() == 1 && possible.isEmpty()) {
      requireTexts(asked.fields().get(0), indices);
      return asked.fields().get(0); // which no index states: said as of a query
    }
    if (possible.size() != 1) {
      throw PassageHighlights.refused(
          asked.name(),
          "needs a vector field: give [options] {\"field\": …}, one of "
              + (possible.isEmpty() ? stated : possible));
    }
    return possible.iterator().next();
  }

  @Override
  protected void doWriteTo(StreamOutput out) throws IOException {
    if (encoded != null || searched != null) {
      throw new IllegalStateException("[" + NAME + "] is sent in the middle of its rewrite");
    }
    Wire.write(
        out,
        asked.query(),
        body -> {
          body.writeString(asked.name());
          body.writeString(asked.query().given());
          body.writeStringCollection(asked.fields());
          body.writeVInt(asked.maxSentences());
          body.writeTimeValue(asked.time());
          body.writeOptionalString(asked.query().instruction());
        });
  }

  @Override
  protected void doXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject(NAME);
    builder.field("text", asked.query().given());
    builder.field("fields", asked.fields());
    boostAndQueryNameToXContent(builder);
    builder.endObject();
  }

  @Override
  public String getWriteableName() {
    return NAME;
  }

  @Override
  public TransportVersion getMinimalSupportedVersion() {
    return Wire.EVERY_VERSION;
  }

  @Override
  protected boolean doEquals(HighlightedTextBuilder other) {
    return asked.equals(other.asked);
  }

  @Override
  protected int doHashCode() {
    return Objects.hash(asked);
  }
}
