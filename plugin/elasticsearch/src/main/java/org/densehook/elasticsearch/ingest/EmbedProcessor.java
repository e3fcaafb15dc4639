package org.densehook.elasticsearch.ingest;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.densehook.elasticsearch.compat.CompatPlugin.Destinations;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.densehook.elasticsearch.vectors.DocumentEmbedder;
import org.densehook.elasticsearch.vectors.DocumentVectors;
import org.densehook.elasticsearch.vectors.EmbedOrder;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.FieldPaths;
import org.densehook.elasticsearch.vectors.FieldToEmbed;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.densehook.elasticsearch.vectors.StoredDocuments;
import org.densehook.elasticsearch.vectors.StoredDocuments.Found;
import org.densehook.elasticsearch.vectors.StoredDocuments.Wanted;
import org.densehook.elasticsearch.vectors.VectorFormat;
import org.densehook.elasticsearch.write.EmbedSettings;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.core.TimeValue;
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
   * @param destinations looked up by a document's {@code _index}
   */
  public record Services(
      NodeEncoders encoders,
      DocumentEmbedder embedder,
      StoredDocuments storedDocuments,
      Destinations destinations,
      IndexVectorsCache indexVectors,
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
    try {
      String destination = document.getMetadata().getIndex();
      if (destination == null) { // a part of an update, which is merged later
        EmbedOrder order = new EmbedOrder(options.output, options.inputs, options.encoder);
        Object notes = document.getFieldValue(IndexVectors.NOTES, Object.class, true);
        document.setFieldValue(IndexVectors.NOTES, order.placedIn(notes));
        handler.accept(document, null);
      } else {
        execute(document, destination, handler);
      }
    } catch (Exception e) {
      handler.accept(null, e);
    }
  }

  private void execute(
      IngestDocument document, String destination, BiConsumer<IngestDocument, Exception> handler)
      throws Exception {
    IndexMetadata index = services.destinations.writeIndex(destination);
    EmbeddedField stated = stated(destination, index);
    EncoderHandle encoder = services.encoders.require(options.encoder);
    boolean statesInputs = stated != null && !stated.inputs().isEmpty();
    if (stated != null) {
      stated.require(encoder, destination);
    }
    if (statesInputs && !stated.inputs().equals(options.inputs)) {
      throw new IllegalArgumentException(
          "the pipeline makes field ["
              + options.output
              + "] of "
              + options.inputs
              + ", the mapping of ["
              + destination
              + "] says of "
              + stated.inputs()
              + "; make them say the same");
    }
    requireInputs(document);
    if (statesInputs && EmbedSettings.embeds(index)) {
      handler.accept(document, null); // it is embedded when it has passed all its pipelines
      return;
    }
    EmbeddedField field =
        new EmbeddedField(
            options.output,
            options.inputs,
            encoder.name(),
            encoder.fingerprint(),
            stated != null && stated.base64());
    FieldToEmbed to = new FieldToEmbed(field, encoder, true, statesInputs, List.of());
    Map<String, Object> part = part(document, to);
    if (FieldPaths.value(part, options.output) != null && !statesInputs) {
      handler.accept(document, null);
      return;
    }
    boolean reuses = index != null && EmbedSettings.reuses(index);
    OneDocument work = new OneDocument(document, new DocumentVectors(List.of(to), part));
    Runnable embed =
        services.threadContext.preserveContext(
            () ->
                services.embedder.embed(
                    List.of(work),
                    reuses,
                    services.threadContext.preserveContext(
                        () ->
                            handler.accept(work.failure == null ? document : null, work.failure))));
    String id = document.getMetadata().getId();
    if (index != null && id != null && statesInputs && work.vectors.needsStored(reuses, false)) {
      Wanted wanted =
          new Wanted(id, document.getMetadata().getRouting(), DocumentVectors.paths(List.of(to)));
      services.storedDocuments.read(
          index.getIndex().getName(),
          List.of(wanted),
          TimeValue.ZERO,
          ActionListener.runAfter( // without it nothing is taken over, and all is right
              ActionListener.wrap(found -> work.replaces(found.get(0)), e -> {}), embed));
    } else {
      embed.run();
    }
  }

  /** What is decided on: a vector that the pipeline is to make anew is none. */
  private Map<String, Object> part(IngestDocument document, FieldToEmbed to) {
    Map<String, Object> part = new LinkedHashMap<>();
    for (String path : DocumentVectors.paths(List.of(to))) {
      Object value = document.getFieldValue(path, Object.class, true);
      if (value != null) {
        part.put(path, value);
      }
    }
    if (options.override && !to.isCurrent(part)) {
      part.remove(options.output);
      document.removeField(options.output, true);
    }
    return part;
  }

  /** Fails a document that lacks an input, as Elasticsearch's own processors do. */
  private void requireInputs(IngestDocument document) {
    for (String input : options.ignoreMissing ? List.<String>of() : options.inputs) {
      if (document.getFieldValue(input, Object.class) == null) {
        throw new IllegalArgumentException("field [" + input + "] is null, it has no text");
      }
    }
  }

  /**
   * The field the vector goes to, where the mapping of its index states it, or that of the template
   * that the document is about to make its index from; or null.
   */
  private EmbeddedField stated(String destination, IndexMetadata index) throws Exception {
    IndexVectors vectors =
        index == null
            ? services.indexVectors.of(services.destinations.templateMappings(destination))
            : services.indexVectors.of(index);
    return vectors.fields().get(options.output);
  }

  /** The document on its way. */
  private static final class OneDocument implements DocumentEmbedder.Work {

    private final IngestDocument document;
    private final DocumentVectors vectors;
    private Map<String, Object> stored;
    private Exception failure;

    private OneDocument(IngestDocument document, DocumentVectors vectors) {
      this.document = document;
      this.vectors = vectors;
    }

    private void replaces(Found found) {
      if (found.exists() && !found.document().isSourceEmpty()) {
        stored = found.document().getSourceAsMap();
      }
    }

    @Override
    public DocumentVectors vectors() {
      return vectors;
    }

    @Override
    public Map<String, Object> stored() {
      return stored;
    }

    @Override
    public void write(Map<String, Object> changes) {
      changes.forEach(
          (path, value) -> {
            if (value == null) {
              document.removeField(path, true);
            } else {
              // Elasticsearch can copy no float[] of a document
              document.setFieldValue(
                  path, value instanceof float[] vector ? VectorFormat.toList(vector) : value);
            }
          });
    }

    @Override
    public void fail(Exception reason) {
      failure = reason;
    }
  }
}
