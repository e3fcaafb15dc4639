package org.densehook.elasticsearch.service;

import java.io.IOException;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.densehook.bundle.Kind;
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

  private static final String UNKNOWN_KIND =
      "its kind is not known to the plugin of the node that was asked; upgrade the plugin there";

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
   * @param proof what is known of a graph that others exported; empty where it was proven equal
   * @param modelBytes size of the model's files, which are held once
   * @param kind null for one that another node knows and this one does not
   * @param rerank pairs that searches had scored; null for an encoder of texts
   * @param also the length of its vectors of each other kind that it gives in the same run, of
   *     those that are known here
   * @param space what its documents' vectors are of; null where the fingerprint says it
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
      Lane query,
      Kind kind,
      String proof,
      Lane rerank,
      String space,
      Map<Kind, Integer> also)
      implements Writeable {

    private static Loaded read(StreamInput in) throws IOException {
      return Wire.read(
          in,
          (body, version) ->
              new Loaded(
                  body.readString(),
                  body.readString(),
                  body.readString(),
                  body.readBoolean(),
                  body.readVInt(),
                  body.readBoolean(),
                  body.readVInt(),
                  body.readVLong(),
                  body.readString(),
                  Lane.read(body),
                  Lane.read(body),
                  version < 3 ? Kind.DENSE : readKind(body, version),
                  version < 3 ? "" : body.readString(),
                  version < 4 ? null : body.readOptionalWriteable(Lane::read),
                  version < 4 ? null : body.readOptionalString(),
                  version < 5 ? Map.of() : readAlso(body, version)));
    }

    private static Kind readKind(StreamInput body, int version) throws IOException {
      return version < Wire.KIND_NAMES ? body.readEnum(Kind.class) : kindNamed(body.readString());
    }

    private static Map<Kind, Integer> readAlso(StreamInput body, int version) throws IOException {
      if (version < Wire.KIND_NAMES) {
        return body.readMap(in -> in.readEnum(Kind.class), StreamInput::readVInt);
      }
      Map<Kind, Integer> known = new EnumMap<>(Kind.class);
      body.readMap(StreamInput::readVInt)
          .forEach(
              (name, dims) -> {
                if (kindNamed(name) != null) {
                  known.put(kindNamed(name), dims);
                }
              });
      return known;
    }

    /** Null for one that is not known here. */
    private static Kind kindNamed(String name) {
      for (Kind each : Kind.values()) {
        if (each.toString().equals(name)) {
          return each;
        }
      }
      return null;
    }

    @Override
    public void writeTo(StreamOutput out) throws IOException {
      Wire.write(
          out,
          Wire.KIND_NAMES, // an earlier version would read a name as something else
          body -> {
            body.writeString(fingerprint);
            body.writeString(precision);
            body.writeString(variant);
            body.writeBoolean(batchDependent);
            body.writeVInt(dims);
            body.writeBoolean(normalised);
            body.writeVInt(maxTokens);
            body.writeVLong(modelBytes);
            body.writeString(onnxruntime);
            ingest.writeTo(body);
            query.writeTo(body);
            body.writeString(kind.toString());
            body.writeString(proof);
            body.writeOptionalWriteable(rerank);
            body.writeOptionalString(space);
            body.writeMap(
                also, (to, head) -> to.writeString(head.toString()), StreamOutput::writeVInt);
          });
    }
  }

  /**
   * What a lane did.
   *
   * @param failed texts that could not be encoded
   * @param rejected texts turned away because others waited
   * @param served texts whose vector was known or on its way, so that they were not encoded
   * @param timedOut searches that waited too long
   * @param cancelled searches that were cancelled while they waited
   * @param shortened texts of which the first chunks alone were encoded
   */
  record Lane(
      long texts,
      long tokens,
      long truncatedTexts,
      long lostTokens,
      long batches,
      long paddedTokens,
      long failed,
      long rejected,
      long p50Nanos,
      long p99Nanos,
      long queueTokens,
      long served,
      long timedOut,
      long cancelled,
      long shortened)
      implements Writeable {

    static Lane of(
        LaneStats.Snapshot stats, long queueTokens, long served, long timedOut, long cancelled) {
      return new Lane(
          stats.texts(),
          stats.tokens(),
          stats.truncatedTexts(),
          stats.lostTokens(),
          stats.batches(),
          stats.paddedTokens(),
          stats.failed(),
          stats.rejected(),
          stats.p50Nanos(),
          stats.p99Nanos(),
          queueTokens,
          served,
          timedOut,
          cancelled,
          stats.shortened());
    }

    private static Lane read(StreamInput in) throws IOException {
      return Wire.read(
          in,
          (body, version) ->
              new Lane(
                  body.readVLong(),
                  body.readVLong(),
                  body.readVLong(),
                  body.readVLong(),
                  body.readVLong(),
                  body.readVLong(),
                  body.readVLong(),
                  body.readVLong(),
                  body.readVLong(),
                  body.readVLong(),
                  body.readVLong(),
                  body.readVLong(),
                  body.readVLong(),
                  body.readVLong(),
                  version < 2 ? 0 : body.readVLong()));
    }

    @Override
    public void writeTo(StreamOutput out) throws IOException {
      Wire.write(
          out,
          body -> {
            body.writeVLong(texts);
            body.writeVLong(tokens);
            body.writeVLong(truncatedTexts);
            body.writeVLong(lostTokens);
            body.writeVLong(batches);
            body.writeVLong(paddedTokens);
            body.writeVLong(failed);
            body.writeVLong(rejected);
            body.writeVLong(p50Nanos);
            body.writeVLong(p99Nanos);
            body.writeVLong(queueTokens);
            body.writeVLong(served);
            body.writeVLong(timedOut);
            body.writeVLong(cancelled);
            body.writeVLong(shortened);
          });
    }

    void toXContent(String name, XContentBuilder builder) throws IOException {
      builder.startObject(name);
      builder.field("texts", texts);
      builder.field("tokens", tokens);
      builder.field("truncated_texts", truncatedTexts);
      builder.field("lost_tokens", lostTokens);
      builder.field("short_texts", shortened);
      builder.field("failed", failed);
      builder.field("rejected", rejected);
      builder.field("timed_out", timedOut);
      builder.field("cancelled", cancelled);
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
        ? new EncoderFacts(name, state == State.LOADING, null, Kind.DENSE, 0, false)
        : new EncoderFacts(
            name,
            false,
            loaded.space == null ? loaded.fingerprint : loaded.space,
            loaded.kind,
            loaded.dims,
            loaded.normalised,
            loaded.also);
  }

  /** Reads one; of a kind that is not known here there is no encoder that could be used. */
  static EncoderStatus read(StreamInput in) throws IOException {
    EncoderStatus read =
        Wire.read(
            in,
            (body, version) ->
                new EncoderStatus(
                    body.readString(),
                    body.readEnum(State.class),
                    body.readOptionalString(),
                    body.readOptionalWriteable(Loaded::read)));
    return read.loaded == null || read.loaded.kind != null
        ? read
        : new EncoderStatus(read.name, State.FAILED, UNKNOWN_KIND, null);
  }

  @Override
  public void writeTo(StreamOutput out) throws IOException {
    Wire.write(
        out,
        body -> {
          body.writeString(name);
          body.writeEnum(state);
          body.writeOptionalString(reason);
          body.writeOptionalWriteable(loaded);
        });
  }

  private void alsoTo(XContentBuilder builder) throws IOException {
    builder.startObject("also");
    for (Map.Entry<Kind, Integer> head : loaded.also().entrySet()) {
      builder.startObject(head.getKey().toString());
      if (head.getValue() > 0) {
        builder.field("dims", head.getValue());
      }
      builder.endObject();
    }
    builder.endObject();
  }

  @Override
  public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject(name);
    builder.field("state", state.name().toLowerCase(Locale.ROOT));
    if (reason != null) {
      builder.field("reason", reason);
    }
    if (loaded != null) {
      builder.field("kind", loaded.kind().toString());
      builder.field("fingerprint", loaded.fingerprint());
      if (loaded.space() != null) {
        builder.field("space", loaded.space());
      }
      builder.field("precision", loaded.precision());
      if (!loaded.variant().isEmpty()) {
        builder.field("variant", loaded.variant());
      }
      if (!loaded.proof().isEmpty()) {
        builder.field("proof", loaded.proof());
      }
      if (loaded.batchDependent()) {
        builder.field("batch_dependent", true);
      }
      if (loaded.dims() > 0) {
        builder.field("dims", loaded.dims());
      }
      if (!loaded.also().isEmpty()) {
        alsoTo(builder);
      }
      builder.field("max_tokens", loaded.maxTokens());
      builder.field("model_bytes", loaded.modelBytes());
      builder.field("onnxruntime", loaded.onnxruntime());
      loaded.ingest().toXContent("ingest", builder);
      loaded.query().toXContent("query", builder);
      if (loaded.rerank() != null) {
        loaded.rerank().toXContent("rerank", builder);
      }
    }
    return builder.endObject();
  }
}
