package org.densehook.elasticsearch.service;

import java.io.IOException;
import java.util.Locale;
import org.densehook.encode.LaneStats;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.common.io.stream.Writeable;
import org.elasticsearch.xcontent.ToXContentFragment;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * An encoder of a node, as {@code GET /_densehook} shows it.
 *
 * @param reason why it failed, or why its newer bundle was refused; null when all is well
 * @param loaded what is in service; null unless ready
 */
record EncoderStatus(String name, State state, String reason, Loaded loaded)
    implements Writeable, ToXContentFragment {

  enum State {
    LOADING,
    READY,
    FAILED
  }

  /**
   * An encoder in service.
   *
   * @param variant empty for the plain export
   * @param normalised whether its vectors have length 1
   * @param modelBytes size of the model's files, which are held twice
   */
  record Loaded(
      String fingerprint,
      String precision,
      String variant,
      boolean batchDependent,
      int dims,
      boolean normalised,
      int maxTokens,
      long modelBytes,
      String onnxruntime,
      Lane ingest,
      Lane query)
      implements Writeable {

    Loaded(StreamInput in) throws IOException {
      this(
          in.readString(),
          in.readString(),
          in.readString(),
          in.readBoolean(),
          in.readVInt(),
          in.readBoolean(),
          in.readVInt(),
          in.readVLong(),
          in.readString(),
          new Lane(in),
          new Lane(in));
    }

    @Override
    public void writeTo(StreamOutput out) throws IOException {
      out.writeString(fingerprint);
      out.writeString(precision);
      out.writeString(variant);
      out.writeBoolean(batchDependent);
      out.writeVInt(dims);
      out.writeBoolean(normalised);
      out.writeVInt(maxTokens);
      out.writeVLong(modelBytes);
      out.writeString(onnxruntime);
      ingest.writeTo(out);
      query.writeTo(out);
    }
  }

  /**
   * What a lane did.
   *
   * @param served texts whose vector was known or on its way, so that they were not encoded
   */
  record Lane(
      long texts,
      long tokens,
      long truncatedTexts,
      long lostTokens,
      long batches,
      long paddedTokens,
      long p50Nanos,
      long p99Nanos,
      long queueTokens,
      long served)
      implements Writeable {

    static Lane of(LaneStats.Snapshot stats, long queueTokens, long served) {
      return new Lane(
          stats.texts(),
          stats.tokens(),
          stats.truncatedTexts(),
          stats.lostTokens(),
          stats.batches(),
          stats.paddedTokens(),
          stats.p50Nanos(),
          stats.p99Nanos(),
          queueTokens,
          served);
    }

    Lane(StreamInput in) throws IOException {
      this(
          in.readVLong(),
          in.readVLong(),
          in.readVLong(),
          in.readVLong(),
          in.readVLong(),
          in.readVLong(),
          in.readVLong(),
          in.readVLong(),
          in.readVLong(),
          in.readVLong());
    }

    @Override
    public void writeTo(StreamOutput out) throws IOException {
      out.writeVLong(texts);
      out.writeVLong(tokens);
      out.writeVLong(truncatedTexts);
      out.writeVLong(lostTokens);
      out.writeVLong(batches);
      out.writeVLong(paddedTokens);
      out.writeVLong(p50Nanos);
      out.writeVLong(p99Nanos);
      out.writeVLong(queueTokens);
      out.writeVLong(served);
    }

    void toXContent(String name, XContentBuilder builder) throws IOException {
      builder.startObject(name);
      builder.field("texts", texts);
      builder.field("tokens", tokens);
      builder.field("truncated_texts", truncatedTexts);
      builder.field("lost_tokens", lostTokens);
      builder.field("served_without_encoding", served);
      builder.field("batches", batches);
      builder.field("mean_texts_per_batch", batches == 0 ? 0 : rounded((double) texts / batches));
      builder.field(
          "padding_share",
          paddedTokens == 0 ? 0 : rounded((double) (paddedTokens - tokens) / paddedTokens));
      builder.field("queue_tokens", queueTokens);
      builder.startObject("latency_ms");
      builder.field("p50", rounded(p50Nanos / 1e6));
      builder.field("p99", rounded(p99Nanos / 1e6));
      builder.endObject();
      builder.endObject();
    }

    private static double rounded(double value) {
      return Math.round(value * 1000) / 1000.0;
    }
  }

  /** What a mapping that names the encoder must agree with. */
  EncoderFacts facts() {
    return loaded == null
        ? new EncoderFacts(name, state == State.LOADING, null, 0, false)
        : new EncoderFacts(name, false, loaded.fingerprint, loaded.dims, loaded.normalised);
  }

  EncoderStatus(StreamInput in) throws IOException {
    this(
        in.readString(),
        in.readEnum(State.class),
        in.readOptionalString(),
        in.readOptionalWriteable(Loaded::new));
  }

  @Override
  public void writeTo(StreamOutput out) throws IOException {
    out.writeString(name);
    out.writeEnum(state);
    out.writeOptionalString(reason);
    out.writeOptionalWriteable(loaded);
  }

  @Override
  public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject(name);
    builder.field("state", state.name().toLowerCase(Locale.ROOT));
    if (reason != null) {
      builder.field("reason", reason);
    }
    if (loaded != null) {
      builder.field("fingerprint", loaded.fingerprint());
      builder.field("precision", loaded.precision());
      if (!loaded.variant().isEmpty()) {
        builder.field("variant", loaded.variant());
      }
      if (loaded.batchDependent()) {
        builder.field("batch_dependent", true);
      }
      builder.field("dims", loaded.dims());
      builder.field("max_tokens", loaded.maxTokens());
      builder.field("model_bytes", loaded.modelBytes());
      builder.field("onnxruntime", loaded.onnxruntime());
      loaded.ingest().toXContent("ingest", builder);
      loaded.query().toXContent("query", builder);
    }
    return builder.endObject();
  }
}
