package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.vectors.TextTemplate;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * By what documents are reranked.
 *
 * @param encoder name of the cross-encoder; null for the only encoder the node has
 * @param text the query
 * @param fields what a document's text is made of, in their order
 * @param template by which it is made; null where they are joined
 * @param chunks how many of its chunks are scored, the best of which counts; 0 for the whole text
 * @param onFailure what to do where documents are not scored
 */
record RerankOrder(
    String encoder,
    String text,
    List<String> fields,
    TextTemplate template,
    int chunks,
    OnFailure onFailure) {

  /** What becomes of documents that are not scored, since the encoder fails or time runs out. */
  enum OnFailure {
    /** The search fails. */
    ERROR,
    /** They stay in the child's order, behind those that are; a warning says so. */
    CHILD;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * The encoder, in service on this node.
   *
   * @throws IllegalArgumentException for one of another kind; else as {@code NodeEncoders.require}
   */
  EncoderHandle serving(SearchServices services) {
    EncoderHandle serving = services.encoders().require(encoder, Kind.CROSS);
    serving.require(Kind.CROSS, "retriever [rerank]");
    return serving;
  }

  /** Refuses at once what cannot be, unless a failure is to be borne. */
  void require(SearchServices services) {
    if (onFailure == OnFailure.ERROR) {
      serving(services);
    }
  }

  void toXContent(XContentBuilder builder) throws IOException {
    if (encoder != null) {
      builder.field(RerankBody.ENCODER.getPreferredName(), encoder);
    }
    builder.field(RerankBody.TEXT.getPreferredName(), text);
    builder.field(RerankBody.FIELD.getPreferredName(), fields);
    if (template != null) {
      builder.field(RerankBody.TEMPLATE.getPreferredName(), template.stated());
    }
    if (chunks > 0) {
      builder.field(RerankBody.CHUNKS.getPreferredName(), chunks);
    }
    builder.field(RerankBody.ON_FAILURE.getPreferredName(), onFailure.toString());
  }
}
