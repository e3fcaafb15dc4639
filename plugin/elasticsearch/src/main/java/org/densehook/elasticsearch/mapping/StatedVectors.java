package org.densehook.elasticsearch.mapping;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.densehook.chunk.ChunkRule;
import org.densehook.elasticsearch.vectors.DocumentPrompts;
import org.densehook.elasticsearch.vectors.FieldFormat;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.IndexVectors.MappedField;
import org.densehook.elasticsearch.vectors.Modality;
import org.densehook.elasticsearch.vectors.TextTemplate;
import org.densehook.elasticsearch.vectors.TextlessTypes;
import org.densehook.fusion.LearnedWeights;

/**
 * Judges {@code _meta.densehook} by itself and against the mapping it is in. What depends on the
 * encoders there are is {@link StatedEncoders}' to say.
 */
final class StatedVectors {

  static final String META = "_meta.densehook";

  private static final Set<String> KEYS = Set.of("fields", "bm25");
  private static final Set<String> ENTRY_KEYS =
      Set.of(
          "input",
          "template",
          "prompt",
          "encoder",
          "fingerprint",
          "chunk",
          "weights",
          Modality.KEY);

  private static final Set<String> HOLDS_NOTES = Set.of("object", "flattened");

  private final IndexVectors mapping;
  private final boolean whole;
  private final List<Finding> findings = new ArrayList<>();

  private StatedVectors(IndexVectors mapping, boolean whole) {
    this.mapping = mapping;
    this.whole = whole;
  }

  /**
   * What is wrong, in the order of the keys; nothing where nothing is stated.
   *
   * @param whole whether this is all that an index's mapping will say; false for a template, which
   *     others may complete
   */
  static List<Finding> findings(IndexVectors mapping, boolean whole) {
    StatedVectors judge = new StatedVectors(mapping, whole);
    if (mapping.stated() != null) {
      judge.judge(mapping.stated());
    }
    return judge.findings;
  }

  private void judge(Object stated) {
    if (!(stated instanceof Map<?, ?> densehook)) {
      fault(META, stated, "it must be an object with [fields] and, if you like, [bm25]");
      return;
    }
    unknownKeys(META, densehook, KEYS);
    Object entries = densehook.get("fields");
    if (entries instanceof Map<?, ?> fields) {
      fields.forEach((path, entry) -> field(path.toString(), entry));
      notes(fields);
    } else if (densehook.containsKey("fields")) {
      fault(META + ".fields", entries, "it must be an object with an entry for each vector field");
    }
    bm25(densehook.get("bm25"));
  }

  private void field(String path, Object stated) {
    String key = META + ".fields." + path;
    if (!(stated instanceof Map<?, ?> entry)) {
      fault(key, stated, "it must be an object with [encoder] and [fingerprint]");
      return;
    }
    unknownKeys(key, entry, ENTRY_KEYS);
    text(key + ".encoder", entry.get("encoder"), "the name of an encoder");
    text(key + ".fingerprint", entry.get("fingerprint"), "the fingerprint of that encoder");
    output(path, key);
    Modality modality = modality(key, entry);
    inputs(path, key + ".input", entry.get("input"), modality);
    if (entry.containsKey("template") && (whole || entry.containsKey("input"))) {
      template(key, entry);
    }
    if (entry.containsKey("prompt")) {
      prompt(key, entry.get("prompt"));
    }
    if (entry.containsKey("chunk")) {
      chunk(path, key, entry.get("chunk"), entry.containsKey("template"));
    }
    weights(key + ".weights", entry.get("weights"));
  }

  private Modality modality(String key, Map<?, ?> entry) {
    try {
      Modality modality = Modality.of(entry);
      boolean isOfMore =
          entry.get("input") instanceof List<?> inputs && inputs.size() > 1
              || Stream.of("template", "prompt", "chunk").anyMatch(entry::containsKey);
      if (modality.objection() != null && isOfMore) {
        refuse(key, modality.objection());
      }
      return modality;
    } catch (IllegalArgumentException e) {
      refuse(key, e.getMessage());
      return Modality.TEXT;
    }
  }

  private void template(String key, Map<?, ?> entry) {
    Object stated = entry.get("input");
    List<?> inputs = stated instanceof List<?> list ? list : oneOrNone(stated);
    try {
      TextTemplate.parse(entry.get("template"), inputs.stream().map(String::valueOf).toList());
    } catch (IllegalArgumentException e) {
      refuse(key, e.getMessage());
    }
  }

  private void prompt(String key, Object stated) {
    try {
      input(key + ".prompt", DocumentPrompts.parse(stated).field().name(), Modality.TEXT);
    } catch (IllegalArgumentException e) {
      refuse(key, e.getMessage());
    }
  }

  private void chunk(String path, String key, Object stated, boolean hasTemplate) {
    try {
      ChunkRule rule = ChunkRule.parse(stated);
      if (hasTemplate && rule.nameKey() != null) {
        refuse(
            key,
            "chunks by ["
                + rule.by()
                + "] are of each input by itself, and [template] makes one text of them; leave"
                + " one of the two out");
      }
      inputs(path, key + ".chunk.prefix", rule.prefix(), Modality.TEXT);
      name(path, key, rule);
    } catch (IllegalArgumentException e) {
      refuse(key, e.getMessage());
    }
    MappedField output = mapping.field(path);
    String objection = output == null ? null : FieldFormat.ofType(output.type()).chunksObjection();
    if (objection != null) {
      refuse(key, "[" + path + "] " + objection);
    } else if (output != null
        && (output.nestedIn() == null || output.nestedIn().length() != path.lastIndexOf('.'))) {
      refuse(
          key,
          "[chunk] makes a vector for each of several objects; map the object that holds ["
              + path
              + "] as nested");
    }
  }

  private void name(String path, String key, ChunkRule rule) {
    if (rule.nameKey() == null || path.indexOf('.') < 0) {
      return;
    }
    String type = rule.by().equals(ChunkRule.BY_SECTION) ? "keyword" : "integer";
    String name = path.substring(0, path.lastIndexOf('.') + 1) + rule.nameKey();
    MappedField mapped = mapping.field(name);
    if (whole && (mapped == null || !mapped.type().equals(type))) {
      refuse(
          key,
          "chunks by ["
              + rule.by()
              + "] say in ["
              + name
              + "] what each is of; map it as ["
              + type
              + "]");
    }
  }

  private void weights(String key, Object stated) {
    try {
      if (stated != null) {
        LearnedWeights.parse(stated);
      }
    } catch (IllegalArgumentException e) {
      refuse(key, e.getMessage());
    }
  }

  private void text(String key, Object value, String what) {
    if (value == null && whole) {
      findings.add(
          Finding.fault(
              "[" + key + "] is missing; state " + what + ", as GET /_densehook shows it"));
    } else if (value != null && !(value instanceof String text && !text.isBlank())) {
      fault(key, value, "it must be " + what + ", as GET /_densehook shows it");
    }
  }

  private void output(String path, String key) {
    MappedField output = mapping.field(path);
    if (isReserved(path)) {
      refuse(key, "[" + IndexVectors.NOTES + "] is kept for the notes; rename the vector field");
    } else if (output == null && whole) {
      refuse(key, "the mapping has no field [" + path + "]; map it as " + FieldFormat.types());
    } else if (output == null) {
      return;
    } else if (output.aliasOf() != null) {
      refuse(key, "[" + path + "] is an alias; state its target [" + output.aliasOf() + "]");
    } else if (!FieldFormat.knowsType(output.type())) {
      refuse(
          key,
          "["
              + path
              + "] is mapped as ["
              + output.type()
              + "]; it must be a "
              + FieldFormat.types());
    } else {
      String objection = FieldFormat.ofType(output.type()).objection(output.definition());
      if (objection != null) {
        refuse(key, "[" + path + "] " + objection);
      }
    }
  }

  private void inputs(String output, String key, Object stated, Modality modality) {
    Set<String> seen = new LinkedHashSet<>();
    for (Object item : stated instanceof List<?> list ? list : oneOrNone(stated)) {
      if (!(item instanceof String input) || input.isBlank()) {
        fault(key, stated, "it must be a text field or a list of them");
        return;
      }
      if (!seen.add(input)) {
        refuse(key, "it has [" + input + "] twice; name it once");
      } else if (input.equals(output)) {
        refuse(key, "[" + input + "] is the vector field itself; name the fields of its text");
      } else if (isReserved(input)) {
        refuse(key, "[" + input + "] holds the notes, not text; name the fields of the text");
      } else {
        input(key, input, modality);
      }
    }
  }

  private void input(String key, String path, Modality modality) {
    MappedField field = mapping.field(path);
    if (field == null) {
      if (mapping.mapped().keySet().stream().anyMatch(other -> other.startsWith(path + "."))) {
        refuse(key, "[" + path + "] is an object; name the text fields in it");
      }
    } else {
      mapping.sourcePaths(path).forEach(source -> source(key, path, source, modality));
    }
  }

  /** A field that documents have the values of an input in: it itself, mostly. */
  private void source(String key, String path, String source, Modality modality) {
    MappedField field = mapping.field(source);
    if (field == null || modality.isHeldBy(field.type(), field.definition())) {
      return;
    }
    String from = source.equals(path) ? "" : ", from which [" + path + "] has its values,";
    String mapped =
        "[" + source + "]" + from + " is mapped as [" + field.type() + "], which holds ";
    if (modality == Modality.NUMBERS) {
      refuse(
          key, mapped + "no list of numbers; map it as object with \"enabled\": false, or float");
    } else if (TextlessTypes.contains(field.type())) {
      refuse(key, mapped + "no text; name text fields");
    }
  }

  private void bm25(Object stated) {
    String key = META + ".bm25";
    for (Object item : stated instanceof List<?> list ? list : oneOrNone(stated)) {
      if (!(item instanceof String field) || field.isBlank()) {
        fault(key, stated, "it must be a text field or a list of them");
        return;
      }
      MappedField mapped = mapping.field(field);
      if (mapped != null && TextlessTypes.contains(mapped.type())) {
        refuse(
            key,
            "["
                + field
                + "] is mapped as ["
                + mapped.type()
                + "], which BM25 cannot search; name text fields");
      }
    }
  }

  private void notes(Map<?, ?> fields) {
    MappedField notes = mapping.field(IndexVectors.NOTES);
    if (notes != null && !fields.isEmpty() && !HOLDS_NOTES.contains(notes.type())) {
      refuse(
          META + ".fields",
          "the field ["
              + IndexVectors.NOTES
              + "] is mapped as ["
              + notes.type()
              + "] and cannot hold the notes of the vectors; map it as flattened, or rename yours");
    }
  }

  private void unknownKeys(String key, Map<?, ?> object, Set<String> known) {
    for (Object name : object.keySet()) {
      if (!known.contains(name.toString())) {
        refuse(key, "it has an unknown key [" + name + "]; known are " + new TreeSet<>(known));
      }
    }
  }

  private static boolean isReserved(String path) {
    return path.equals(IndexVectors.NOTES) || path.startsWith(IndexVectors.NOTES + ".");
  }

  private static List<Object> oneOrNone(Object value) {
    return value == null ? List.of() : List.of(value);
  }

  private void fault(String key, Object value, String should) {
    String shown = String.valueOf(value);
    refuse(
        key, "it is [" + (shown.length() > 100 ? shown.substring(0, 100) : shown) + "]; " + should);
  }

  private void refuse(String key, String why) {
    findings.add(Finding.fault("[" + key + "]: " + why));
  }
}
