package org.densehook.elasticsearch.ingest;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.densehook.elasticsearch.compat.CompatPlugin.Destinations;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.densehook.elasticsearch.vectors.InputText;
import org.densehook.elasticsearch.vectors.VectorFormat;
import org.densehook.elasticsearch.write.Outdated;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.ingest.AbstractProcessor;
import org.elasticsearch.ingest.ConfigurationUtils;
import org.elasticsearch.ingest.IngestDocument;
import org.elasticsearch.ingest.Processor;

/** Writes the vector of a document's text; the documents of all bulks in flight run together. */
public final class EmbedProcessor extends AbstractProcessor {

  public static final String TYPE = "densehook";

  private final NodeEncoders encoders;
  private final Destinations destinations;
  private final IndexVectorsCache indexVectors;
  private final ThreadContext threadContext;
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

  private EmbedProcessor(
      String tag,
      String description,
      NodeEncoders encoders,
      Destinations destinations,
      IndexVectorsCache indexVectors,
      ThreadContext threadContext,
      Options options) {
    super(tag, description);
    this.encoders = encoders;
    this.destinations = destinations;
    this.indexVectors = indexVectors;
    this.threadContext = threadContext;
    this.options = options;
  }

  /**
   * Reads a processor's definition.
   *
   * @param destinations looked up by a document's {@code _index}
   */
  public static Processor create(
      String tag,
      String description,
      Map<String, Object> config,
      NodeEncoders encoders,
      Destinations destinations,
      IndexVectorsCache indexVectors,
      ThreadContext threadContext) {
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
    Options options = new Options(encoder, inputs, output, ignoreMissing, override);
    return new EmbedProcessor(
        tag, description, encoders, destinations, indexVectors, threadContext, options);
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
    String text;
    EncoderHandle encoder;
    EmbeddedField field;
    try {
      if (Outdated.isMadeLater(threadContext, options.output)
          || !options.override && present(document)) {
        handler.accept(document, null);
        return;
      }
      encoder = encoders.require(options.encoder);
      field = vectorField(document);
      if (field != null) {
        field.require(encoder, document.getMetadata().getIndex());
      }
      text = text(document, encoder);
    } catch (Exception e) {
      handler.accept(null, e);
      return;
    }
    if (text.isEmpty()) {
      document.removeField(options.output, true); // the vector of a text that is gone
      handler.accept(document, null);
      return;
    }
    encoders.embedDocument(
        encoder,
        text,
        new ActionListener<>() {
          @Override
          public void onResponse(float[] vector) {
            try {
              document.setFieldValue(
                  options.output,
                  field == null ? VectorFormat.toList(vector) : field.value(vector));
            } catch (Exception e) {
              handler.accept(null, e);
              return;
            }
            handler.accept(document, null);
          }

          @Override
          public void onFailure(Exception e) {
            handler.accept(null, e);
          }
        });
  }

  private boolean present(IngestDocument document) {
    return document.getFieldValue(options.output, Object.class, true) != null;
  }

  /** The document's text; empty when its inputs are missing or empty, where that is allowed. */
  private String text(IngestDocument document, EncoderHandle encoder) {
    List<String> parts = new ArrayList<>();
    for (String input : options.inputs) {
      // throws for a missing field, as Elasticsearch's own processors do
      Object value = document.getFieldValue(input, Object.class, options.ignoreMissing);
      if (value == null && !options.ignoreMissing) {
        throw new IllegalArgumentException("field [" + input + "] is null, it has no text");
      }
      parts.add(encoder.join(InputText.of(input, value)));
    }
    return encoder.join(parts);
  }

  /**
   * The field the vector goes to, where the mapping of its index states it, or that of the template
   * that the document is about to make its index from; or null.
   */
  private EmbeddedField vectorField(IngestDocument document) throws Exception {
    String name = document.getMetadata().getIndex();
    IndexMetadata index = destinations.writeIndex(name);
    IndexVectors vectors =
        index == null
            ? indexVectors.of(destinations.templateMappings(name))
            : indexVectors.of(index);
    return vectors.fields().get(options.output);
  }
}
