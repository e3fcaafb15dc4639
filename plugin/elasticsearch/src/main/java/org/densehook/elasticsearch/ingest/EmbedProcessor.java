package org.densehook.elasticsearch.ingest;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.densehook.elasticsearch.vectors.DocumentEmbedder;
import org.densehook.elasticsearch.vectors.DocumentSource;
import org.densehook.elasticsearch.vectors.DocumentVectors;
import org.densehook.elasticsearch.vectors.EmbedOrder;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.FieldPaths;
import org.densehook.elasticsearch.vectors.FieldToEmbed;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.densehook.elasticsearch.vectors.StoredDocuments;
import org.densehook.elasticsearch.write.BulkScope;
import org.densehook.elasticsearch.write.EmbedSettings;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.ingest.AbstractProcessor;
import org.elasticsearch.ingest.ConfigurationUtils;
import org.elasticsearch.ingest.IngestDocument;
import org.elasticsearch.ingest.Processor;

/** Writes the vector of a document's text; the documents of all bulks in flight run together. */
public final class EmbedProcessor extends AbstractProcessor {

  public static final String TYPE = "densehook";

  private final Services services;
  private final Options options;

  /**
   * What the pipeline says.
   *
   * @param override whether a vector that the document already has is made anew
   */
  private record Options(
      String encoder,
      List<String> inputs,
      String output,
      boolean ignoreMissing,
      boolean override) {}

  /**
   * What processors need of the node.
   *
   * @param state the cluster's, as it is when it is asked
   */
  public record Services(
      NodeEncoders encoders,
      DocumentEmbedder embedder,
      StoredDocuments storedDocuments,
      IndexVectorsCache indexVectors,
      Supplier<ClusterState> state,
      ThreadContext threadContext) {}

  private EmbedProcessor(String tag, String description, Services services, Options options) {
    super(tag, description);
    this.services = services;
    this.options = options;
  }

  /** Reads a processor's definition. */
  public static Processor create(
      String tag, String description, Map<String, Object> config, Services services) {
    String encoder = ConfigurationUtils.readOptionalStringProperty(TYPE, tag, config, "encoder");
    List<String> inputs = paths(tag, config);
    String output = ConfigurationUtils.readStringProperty(TYPE, tag, config, "output");
    if (output.isBlank() || inputs.contains(output)) {
      throw ConfigurationUtils.newConfigurationException(
          TYPE, tag, "output", "is [" + output + "]; it must be a field that is no input");
    }
    boolean ignoreMissing =
        ConfigurationUtils.readBooleanProperty(TYPE, tag, config, "ignore_missing", false);
    boolean override = ConfigurationUtils.readBooleanProperty(TYPE, tag, config, "override", true);
    return new EmbedProcessor(
        tag, description, services, new Options(encoder, inputs, output, ignoreMissing, override));
  }

  private static List<String> paths(String tag, Map<String, Object> config) {
    Object stated = config.remove("input");
    List<?> inputs =
        stated instanceof List<?> list ? list : stated == null ? List.of() : List.of(stated);
    List<String> paths = new ArrayList<>();
    for (Object input : inputs) {
      if (!(input instanceof String path) || path.isBlank()) {
        throw ConfigurationUtils.newConfigurationException(
            TYPE, tag, "input", "has [" + input + "]; it must be a field or a list of fields");
      }
      paths.add(path);
    }
    if (paths.isEmpty()) {
      throw ConfigurationUtils.newConfigurationException(
          TYPE, tag, "input", "required property is missing or empty; name the text fields");
    }
    return List.copyOf(paths);
  }

  @Override
  public String getType() {
    return TYPE;
  }

  @Override
  public boolean isAsync() {
    return true;
  }

  @Override
  public IngestDocument execute(IngestDocument document) {
    throw new UnsupportedOperationException("[densehook] is asynchronous");
  }

  @Override
  public void execute(IngestDocument document, BiConsumer<IngestDocument, Exception> handler) {
    PipelineDocument work;
    try {
      work = begin(document);
    } catch (Exception e) {
      handler.accept(null, e);
      return;
    }
    if (work == null) {
      handler.accept(document, null);
    } else {
      embed(work, () -> handler.accept(work.failure() == null ? document : null, work.failure()));
    }
  }

  /** Finds out what a document needs; gives null for one that goes on as it is. */
  private PipelineDocument begin(IngestDocument document) throws IOException {
    String name = document.getMetadata().getIndex();
    if (name == null) { // a part of an update, which is merged later
      EmbedOrder order = new EmbedOrder(options.output, options.inputs, options.encoder);
      Object notes = document.getFieldValue(IndexVectors.NOTES, Object.class, true);
      document.setFieldValue(IndexVectors.NOTES, order.placedIn(notes));
      return null;
    }
    Destination destination = Destination.of(services.state().get(), name, services.indexVectors());
    EmbeddedField stated = destination.vectors().fields().get(options.output);
    EncoderHandle encoder = services.encoders().require(options.encoder);
    boolean statesInputs = stated != null && !stated.inputs().isEmpty();
    if (stated != null) {
      stated.require(encoder, name);
    }
    if (statesInputs) {
      requireSameInputs(stated, name);
    }
    requireInputs(document);
    if (statesInputs && EmbedSettings.embeds(destination.index())) {
      return null; // it is embedded when it has passed all its pipelines
    }
    EmbeddedField field =
        new EmbeddedField(
            options.output,
            options.inputs,
            encoder.name(),
            encoder.fingerprint(),
            stated != null && stated.base64(),
            stated == null ? null : stated.chunk(),
            null);
    FieldToEmbed to = new FieldToEmbed(field, encoder, true, statesInputs, List.of());
    Map<String, Object> part = part(document, to);
    if (FieldPaths.value(part, field.path()) != null && !statesInputs) {
      return null;
    }
    return PipelineDocument.of(document, destination, to, part);
  }

  private void requireSameInputs(EmbeddedField stated, String index) {
    if (!stated.inputs().equals(options.inputs)) {
      throw new IllegalArgumentException(
          "the pipeline makes field ["
              + options.output
              + "] of "
              + options.inputs
              + ", the mapping of ["
              + index
              + "] says of "
              + stated.inputs()
              + "; make them say the same");
    }
  }

  private void embed(PipelineDocument work, Runnable done) {
    ThreadContext context = services.threadContext();
    Object turn = BulkScope.of(context);
    Runnable inContext = context.preserveContext(done);
    Runnable embed = () -> services.embedder().embed(List.of(work), turn, work.reuses(), inContext);
    if (work.wanted() == null) {
      embed.run();
      return;
    }
    services
        .storedDocuments()
        .readOne(
            work.index(),
            work.wanted(),
            found -> {
              work.found(found);
              if (work.failure() == null) {
                embed.run();
              } else {
                done.run();
              }
            });
  }

  /** What is decided on: a vector that the pipeline is to make anew is none. */
  private Map<String, Object> part(IngestDocument document, FieldToEmbed to) {
    Map<String, Object> part =
        DocumentSource.part(document.getSource(), DocumentVectors.paths(List.of(to)));
    if (options.override && !to.isCurrent(part)) {
      PipelineDocument.remove(document, to.field().path());
      FieldPaths.remove(part, to.field().path());
    }
    return part;
  }

  /** Fails a document that lacks an input, as Elasticsearch's own processors do. */
  private void requireInputs(IngestDocument document) {
    for (String input : options.ignoreMissing ? List.<String>of() : options.inputs) {
      if (FieldPaths.values(document.getSource(), input) == null) {
        document.getFieldValue(input, Object.class); // says where its path ends
        throw new IllegalArgumentException("field [" + input + "] is null, it has no text");
      }
    }
  }
}
