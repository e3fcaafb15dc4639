package org.densehook.elasticsearch.ingest;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.densehook.elasticsearch.vectors.DocumentEmbedder;
import org.densehook.elasticsearch.vectors.DocumentPrompts;
import org.densehook.elasticsearch.vectors.DocumentSource;
import org.densehook.elasticsearch.vectors.DocumentVectors;
import org.densehook.elasticsearch.vectors.EmbedOrder;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.FieldPaths;
import org.densehook.elasticsearch.vectors.FieldToEmbed;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.densehook.elasticsearch.vectors.Modality;
import org.densehook.elasticsearch.vectors.StoredDocuments;
import org.densehook.elasticsearch.vectors.TextRule;
import org.densehook.elasticsearch.vectors.TextTemplate;
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
   * @param order the vector that it makes
   * @param override whether a vector that the document already has is made anew
   */
  private record Options(EmbedOrder order, boolean ignoreMissing, boolean override) {}

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
    List<String> inputs = names(tag, config);
    TextTemplate template = template(tag, config, inputs);
    DocumentPrompts prompts = prompts(tag, config);
    Modality modality = modality(tag, config, inputs, template != null || prompts != null);
    String output = ConfigurationUtils.readStringProperty(TYPE, tag, config, "output");
    if (output.isBlank() || inputs.contains(output)) {
      throw ConfigurationUtils.newConfigurationException(
          TYPE, tag, "output", "is [" + output + "]; it must be a field that is no input");
    }
    boolean ignoreMissing =
        ConfigurationUtils.readBooleanProperty(TYPE, tag, config, "ignore_missing", false);
    boolean override = ConfigurationUtils.readBooleanProperty(TYPE, tag, config, "override", true);
    return new EmbedProcessor(
        tag,
        description,
        services,
        new Options(
            new EmbedOrder(output, inputs, template, prompts, encoder, modality),
            ignoreMissing,
            override));
  }

  private static List<String> names(String tag, Map<String, Object> config) {
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

  private static TextTemplate template(
      String tag, Map<String, Object> config, List<String> inputs) {
    Object stated = config.remove("template");
    try {
      return stated == null ? null : TextTemplate.parse(stated, inputs);
    } catch (IllegalArgumentException e) {
      throw ConfigurationUtils.newConfigurationException(TYPE, tag, "template", e.getMessage());
    }
  }

  private static DocumentPrompts prompts(String tag, Map<String, Object> config) {
    Object stated = config.remove("prompt");
    try {
      return stated == null ? null : DocumentPrompts.parse(stated);
    } catch (IllegalArgumentException e) {
      throw ConfigurationUtils.newConfigurationException(TYPE, tag, "prompt", e.getMessage());
    }
  }

  private static Modality modality(
      String tag, Map<String, Object> config, List<String> inputs, boolean isMade) {
    Object stated = config.remove(Modality.KEY);
    try {
      Modality modality = stated == null ? Modality.TEXT : Modality.parse(stated);
      if (modality.objection() != null && (isMade || inputs.size() > 1)) {
        throw new IllegalArgumentException(modality.objection());
      }
      return modality;
    } catch (IllegalArgumentException e) {
      throw ConfigurationUtils.newConfigurationException(TYPE, tag, Modality.KEY, e.getMessage());
    }
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
    EmbedOrder order = options.order;
    if (name == null) { // a part of an update, which is merged later
      Object notes = document.getFieldValue(IndexVectors.NOTES, Object.class, true);
      document.setFieldValue(IndexVectors.NOTES, order.placedIn(notes));
      return null;
    }
    Destination destination = Destination.of(services.state().get(), name, services.indexVectors());
    EmbeddedField stated = destination.vectors().fields().get(order.field());
    EncoderHandle encoder = services.encoders().require(order.encoder());
    if (stated != null) {
      stated.require(encoder, name);
    }
    EmbeddedField field = order.in(destination.vectors(), encoder);
    destination.requireType(field, encoder);
    boolean statesInputs = stated != null && !stated.inputs().isEmpty();
    if (statesInputs) {
      requireSameText(stated, field.text(), name);
    }
    requireInputs(document, field.text());
    if (statesInputs && EmbedSettings.embeds(destination.index())) {
      return null; // it is embedded when it has passed all its pipelines
    }
    FieldToEmbed to = new FieldToEmbed(field, encoder, true, statesInputs, List.of());
    List<FieldToEmbed> fields = withBeside(to, destination.vectors());
    Map<String, Object> part = part(document, fields);
    if (FieldPaths.value(part, field.path()) != null && !statesInputs) {
      return null;
    }
    return PipelineDocument.of(document, destination, fields, part);
  }

  /** The field, and those that the mapping states which the same run of the encoder fills. */
  private static List<FieldToEmbed> withBeside(FieldToEmbed to, IndexVectors mapping) {
    List<FieldToEmbed> fields = new ArrayList<>(List.of(to));
    for (EmbeddedField stated : mapping.fields().values()) {
      if (isBeside(stated, to)) {
        fields.add(new FieldToEmbed(stated, to.encoder(), true, true, List.of()));
      }
    }
    return fields;
  }

  /** Whether a field has another of the encoder's kinds, made of the same text as a whole. */
  private static boolean isBeside(EmbeddedField stated, FieldToEmbed to) {
    Kind kind = to.encoder().giving(stated.format().kind());
    return kind != to.kind()
        && to.encoder().kinds().contains(kind)
        && stated.fingerprint().equals(to.encoder().fingerprint())
        && stated.text().equals(to.field().text())
        && !stated.isChunked()
        && !to.field().isChunked();
  }

  private void requireSameText(EmbeddedField stated, TextRule text, String index) {
    requireSameInputs(stated, index);
    if (!stated.text().equals(text)) {
      throw new IllegalArgumentException(
          "the pipeline makes the text of field ["
              + options.order.field()
              + "] by another [template], [prompt] or [modality] than the mapping of ["
              + index
              + "] states; make them say the same");
    }
  }

  private void requireSameInputs(EmbeddedField stated, String index) {
    if (!stated.inputs().equals(options.order.inputs())) {
      throw new IllegalArgumentException(
          "the pipeline makes field ["
              + options.order.field()
              + "] of "
              + options.order.inputs()
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
  private Map<String, Object> part(IngestDocument document, List<FieldToEmbed> fields) {
    FieldToEmbed to = fields.get(0);
    Collection<String> paths = DocumentVectors.paths(fields);
    Map<String, Object> part = DocumentSource.part(document.getSource(), paths);
    for (String path : paths) {
      if (FieldPaths.values(part, path) == null) { // a pipeline's paths lead to items of lists, too
        Object value = document.getFieldValue(path, Object.class, true);
        if (value != null) {
          part.put(path, value);
        }
      }
    }
    if (options.override && !to.isCurrent(part)) {
      PipelineDocument.remove(document, to.field().path());
      FieldPaths.remove(part, to.field().path());
    }
    return part;
  }

  /** Fails a document that lacks an input, as Elasticsearch's own processors do. */
  private void requireInputs(IngestDocument document, TextRule text) {
    for (TextRule.Input input : options.ignoreMissing ? List.<TextRule.Input>of() : text.inputs()) {
      boolean isThere =
          input.paths().stream()
              .anyMatch(
                  path ->
                      FieldPaths.values(document.getSource(), path) != null
                          || document.getFieldValue(path, Object.class, true) != null);
      if (!isThere && input.paths().size() > 1) {
        throw new IllegalArgumentException(
            "field [" + input.name() + "] has no text: none of " + input.paths() + " is there");
      } else if (!isThere) {
        document.getFieldValue(input.paths().get(0), Object.class); // says where its path ends
        throw new IllegalArgumentException("field [" + input.name() + "] is null, it has no text");
      }
    }
  }
}
