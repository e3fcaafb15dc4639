package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.densehook.chunk.ChunkRule;
import org.densehook.fusion.LearnedWeights;
import org.elasticsearch.common.xcontent.support.XContentMapValues;

/**
 * What a mapping says of vectors: the fields that {@code _meta.densehook} states, and of every
 * mapped field what a search or a write needs to know. It is read once for a mapping ({@link
 * IndexVectorsCache}) and shared. Whatever stands in {@code _meta}, reading it does not fail.
 */
public final class IndexVectors {

  /** The reserved object of a document that says what its vectors were made of. */
  public static final String NOTES = "densehook";

  /** The mapping of {@link #NOTES}: any content is kept, and can be asked for by term. */
  public static final Map<String, Object> NOTES_MAPPING =
      Map.of("type", "flattened", "doc_values", false);

  static final IndexVectors NONE = new IndexVectors(Map.of(), false);

  /**
   * A field of the mapping.
   *
   * @param type its type, that of the target for an alias
   * @param nestedIn path of the nearest nested object that holds it, or null
   * @param aliasOf path of the field that it is an alias of, or null
   * @param multiFieldOf path of the field that it is a multi-field of, or null: documents have a
   *     value for that one alone
   * @param definition its own entry in the mapping without the fields below it; that of the target
   *     for an alias
   */
  public record MappedField(
      String type,
      String nestedIn,
      String aliasOf,
      String multiFieldOf,
      Map<String, Object> definition) {}

  private final Object stated;
  private final Map<String, EmbeddedField> fields;
  private final List<String> bm25;
  private final MappedFields mapped;
  private final Map<String, List<String>> copied;
  private final Function<Map<String, Object>, Map<String, Object>> sourceFilter;

  /**
   * Reads a mapping.
   *
   * @param mapping as its source states it
   * @param takesBase64 whether vectors may be written in base64
   */
  public IndexVectors(Map<String, Object> mapping, boolean takesBase64) {
    this(mapping, takesBase64, UnaryOperator.identity(), UnaryOperator.identity());
  }

  /**
   * Reads a mapping and shares with others what is equal in them.
   *
   * @param paths gives the one path for all that are equal
   * @param definitions gives the one field for all that are equal
   */
  IndexVectors(
      Map<String, Object> mapping,
      boolean takesBase64,
      UnaryOperator<String> paths,
      UnaryOperator<MappedField> definitions) {
    Map<String, MappedField> found = new HashMap<>();
    collect(mapping, "", false, found);
    mapped = new MappedFields(complete(found), paths, definitions);
    copied = copied(mapped);
    stated = object(mapping.get("_meta")).get("densehook");
    fields = Collections.unmodifiableMap(embedded(object(stated).get("fields"), takesBase64));
    bm25 = strings(object(stated).get("bm25"));
    sourceFilter = sourceFilter(object(mapping.get("_source")));
  }

  /** What {@code _meta.densehook} is, whatever that may be; null when there is none. */
  public Object stated() {
    return stated;
  }

  /** The vector fields that {@code _meta} states whole, by path, in its order. */
  public Map<String, EmbeddedField> fields() {
    return fields;
  }

  /** The fields for BM25 that {@code _meta} states; often one, or none. */
  public List<String> bm25() {
    return bm25;
  }

  /** The field at a path, also a multi-field's or an alias; null when the mapping has none. */
  public MappedField field(String path) {
    return mapped.get(path);
  }

  /** Every field there is, by path, in their order: objects, multi-fields and aliases too. */
  public Map<String, MappedField> mapped() {
    return mapped;
  }

  /** Whether a document may have its notes: the mapping has the reserved object. */
  public boolean takesNotes() {
    return mapped.containsKey(NOTES);
  }

  /** Whether the stored source keeps a field; an update cannot read one that it drops. */
  public boolean keepsInSource(String path) {
    Map<String, Object> probe = new HashMap<>();
    FieldPaths.put(probe, path, "");
    return FieldPaths.has(sourceFilter.apply(probe), path);
  }

  /** How a text is made of inputs, each of which is read where documents have its values. */
  public TextRule text(
      List<String> inputs, TextTemplate template, DocumentPrompts prompts, ChunkRule chunk) {
    return text(inputs, template, prompts, chunk, Modality.TEXT);
  }

  /** The same of inputs that hold texts, or images. */
  public TextRule text(
      List<String> inputs,
      TextTemplate template,
      DocumentPrompts prompts,
      ChunkRule chunk,
      Modality modality) {
    return new TextRule(
        inputs(inputs),
        template,
        prompts == null ? null : prompts.at(sourcePaths(prompts.field().name())),
        chunk == null ? List.of() : inputs(chunk.prefix()),
        modality);
  }

  private List<TextRule.Input> inputs(List<String> names) {
    return names.stream().map(name -> new TextRule.Input(name, sourcePaths(name))).toList();
  }

  /**
   * Where in its source a document has the values of a field: under the field's own path, an
   * alias's target or the parent of a multi-field, and then, by their paths, in the fields that are
   * copied to it.
   */
  public List<String> sourcePaths(String name) {
    MappedField named = mapped.get(name);
    String own = named == null || named.aliasOf == null ? name : named.aliasOf;
    for (MappedField field = mapped.get(own);
        field != null && field.multiFieldOf != null;
        field = mapped.get(own)) {
      own = field.multiFieldOf;
    }
    List<String> paths = new ArrayList<>(List.of(own));
    paths.addAll(copied.getOrDefault(own, List.of()));
    return List.copyOf(paths);
  }

  /** By the path of each field that others are copied to, the paths of those, in their order. */
  private static Map<String, List<String>> copied(MappedFields mapped) {
    Map<String, List<String>> copied = new HashMap<>();
    mapped.forEach(
        (path, field) -> {
          if (field.aliasOf == null) { // whose definition is its target's
            for (String target : strings(field.definition.get("copy_to"))) {
              copied.computeIfAbsent(target, key -> new ArrayList<>()).add(path);
            }
          }
        });
    return copied;
  }

  private Map<String, EmbeddedField> embedded(Object entries, boolean takesBase64) {
    Map<String, EmbeddedField> found = new LinkedHashMap<>();
    object(entries)
        .forEach(
            (path, entry) -> {
              Map<?, ?> field = object(entry);
              if (field.get("encoder") instanceof String encoder
                  && field.get("fingerprint") instanceof String fingerprint
                  && (!field.containsKey("chunk") || takesChunks(path, field.get("chunk")))
                  && statesText(field)) {
                found.put(
                    path,
                    new EmbeddedField(
                        path,
                        text(field),
                        encoder,
                        fingerprint,
                        formatOf(field(path)),
                        takesBase64 && isFloatVector(field(path)),
                        field.containsKey("chunk") ? ChunkRule.parse(field.get("chunk")) : null,
                        weights(field.get("weights"))));
              }
            });
    return found;
  }

  /** Whether a field's text is made as can be. */
  private boolean statesText(Map<?, ?> field) {
    try {
      text(field);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private TextRule text(Map<?, ?> field) {
    List<String> inputs = strings(field.get("input"));
    return text(
        inputs,
        field.containsKey("template") ? TextTemplate.parse(field.get("template"), inputs) : null,
        field.containsKey("prompt") ? DocumentPrompts.parse(field.get("prompt")) : null,
        field.containsKey("chunk") ? ChunkRule.parse(field.get("chunk")) : null,
        Modality.of(field));
  }

  /** Whether a field has a nested object for each chunk, cut by a rule that can be. */
  private boolean takesChunks(String path, Object rule) {
    MappedField mapped = field(path);
    try {
      ChunkRule.parse(rule);
    } catch (IllegalArgumentException e) {
      return false;
    }
    return mapped != null
        && mapped.nestedIn() != null
        && mapped.nestedIn().length() == path.lastIndexOf('.');
  }

  /** Learned weights that are stated whole; null for others, which nobody can use. */
  private static LearnedWeights weights(Object stated) {
    try {
      return stated == null ? null : LearnedWeights.parse(stated);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** The fields below one, as they are stated, so far without what other fields tell of them. */
  private static void collect(
      Map<?, ?> parent, String prefix, boolean isField, Map<String, MappedField> found) {
    object(parent.get("properties"))
        .forEach((name, field) -> collectField(prefix + name, field, null, found));
    if (isField) {
      String parentPath = prefix.substring(0, prefix.length() - 1);
      object(parent.get("fields"))
          .forEach((name, field) -> collectField(prefix + name, field, parentPath, found));
    }
  }

  private static void collectField(
      String path, Object stated, String multiFieldOf, Map<String, MappedField> found) {
    if (stated instanceof Map<?, ?>) {
      Map<String, Object> definition = new HashMap<>(object(stated));
      definition.remove("properties");
      definition.remove("fields");
      String type = definition.get("type") instanceof String own ? own : "object";
      found.put(path, new MappedField(type, null, null, multiFieldOf, definition));
      collect(object(stated), path + ".", true, found);
    }
  }

  /** The same fields, with what is known of each only when all are. */
  private static Map<String, MappedField> complete(Map<String, MappedField> found) {
    Map<String, MappedField> complete = new HashMap<>();
    found.forEach(
        (path, field) -> {
          Object alias = field.type.equals("alias") ? field.definition.get("path") : null;
          MappedField target = alias == null ? null : found.get(alias.toString());
          String own = target == null ? path : alias.toString();
          MappedField meant = target == null ? field : target;
          complete.put(
              path,
              new MappedField(
                  meant.type,
                  nestedIn(own, found),
                  target == null ? null : own,
                  field.multiFieldOf,
                  meant.definition));
        });
    return complete;
  }

  /** Paths may be spelled in one, so that it is not enough to look at the entries above. */
  private static String nestedIn(String path, Map<String, MappedField> found) {
    for (int dot = path.lastIndexOf('.'); dot >= 0; dot = path.lastIndexOf('.', dot - 1)) {
      MappedField above = found.get(path.substring(0, dot));
      if (above != null && above.type.equals("nested")) {
        return path.substring(0, dot);
      }
    }
    return null;
  }

  private static FieldFormat formatOf(MappedField field) {
    return field == null
        ? FieldFormat.ofType(null)
        : FieldFormat.ofType(field.type()).mapped(field.definition());
  }

  private static boolean isFloatVector(MappedField field) {
    return field != null
        && field.type.equals("dense_vector")
        && "float".equals(field.definition.getOrDefault("element_type", "float"));
  }

  private static Function<Map<String, Object>, Map<String, Object>> sourceFilter(
      Map<String, Object> source) {
    if (source.get("enabled") != null && "false".equals(source.get("enabled").toString())) {
      return document -> Map.of();
    }
    List<String> includes = strings(source.get("includes"));
    List<String> excludes = strings(source.get("excludes"));
    return includes.isEmpty() && excludes.isEmpty()
        ? document -> document
        : XContentMapValues.filter(
            includes.toArray(String[]::new), excludes.toArray(String[]::new));
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(Object value) {
    return value instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
  }

  private static List<String> strings(Object value) {
    if (value instanceof List<?> list) {
      List<String> texts = new ArrayList<>();
      list.forEach(item -> texts.add(String.valueOf(item)));
      return List.copyOf(texts);
    }
    return value == null ? List.of() : List.of(value.toString());
  }
}
