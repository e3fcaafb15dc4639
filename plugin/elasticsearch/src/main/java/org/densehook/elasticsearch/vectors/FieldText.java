package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.densehook.chunk.ChunkRule;
import org.densehook.chunk.LongText;
import org.densehook.chunk.LongText.Item;
import org.densehook.elasticsearch.service.EncoderHandle;

/**
 * The text that a document gives for a field, and in which parts, as the Python package reads it.
 *
 * <p>By section each input, and each Markdown heading in one, begins a part. What is given: each
 * item of a list does; of objects in a list, whose fields are the inputs, each object does.
 */
record FieldText(TextRule rule, ChunkRule chunk, EncoderHandle encoder) {

  FieldText(EmbeddedField field, EncoderHandle encoder) {
    this(field.text(), field.chunk(), encoder);
  }

  /**
   * As the model reads it; empty when there is none.
   *
   * @throws IllegalArgumentException when an input is an object
   */
  PromptedText of(Map<?, ?> document) {
    return new PromptedText(text(document), rule.prompt(document), rule.modality());
  }

  private LongText text(Map<?, ?> document) {
    String before = encoder.join(rule.prefix().stream().map(each -> text(document, each)).toList());
    String prefix = before.isEmpty() ? "" : before + encoder.joiner();
    if (chunk == null || chunk.nameKey() == null) {
      return new LongText(rule.text(document, encoder::join), List.of(), prefix);
    }
    boolean given = chunk.by().equals(ChunkRule.BY_GIVEN);
    List<Item> items = given ? numbered(given(document)) : named(document);
    return LongText.of(items, encoder.joiner(), !given, prefix);
  }

  /**
   * What is put together, one behind the other with {@link #between}: texts by their inputs, of
   * objects in a list object by object; without a name what is of no input.
   */
  List<Item> byInput(Map<?, ?> document) {
    if (rule.template() != null) {
      Map<String, String> texts = rule.texts(document, encoder::join);
      return TextRule.isEmpty(texts) ? List.of() : rule.template().items(texts);
    }
    boolean given = chunk != null && chunk.by().equals(ChunkRule.BY_GIVEN);
    List<?> objects = given ? objects(document) : null;
    if (objects == null) {
      return named(document);
    }
    List<Item> items = new ArrayList<>();
    for (Object each : objects) {
      for (TextRule.Input input : rule.inputs()) {
        String text = each instanceof Map<?, ?> own ? ofObject(own, inner(input.paths())) : "";
        if (!text.isEmpty()) {
          items.add(new Item(input.name(), text));
        }
      }
    }
    return items;
  }

  /** What is between two of them. */
  String between() {
    return rule.template() == null ? encoder.joiner() : "";
  }

  private List<Item> named(Map<?, ?> document) {
    List<Item> items = new ArrayList<>();
    for (TextRule.Input input : rule.inputs()) {
      String text = text(document, input);
      if (!text.isEmpty()) {
        items.add(new Item(input.name(), text));
      }
    }
    return items;
  }

  private static List<Item> numbered(List<String> texts) {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      if (!texts.get(i).isEmpty()) {
        items.add(new Item(i, texts.get(i)));
      }
    }
    return items;
  }

  private List<String> given(Map<?, ?> document) {
    List<String> texts = new ArrayList<>();
    List<?> objects = objects(document);
    if (objects != null) {
      List<String> inner = inner(inputPaths());
      for (Object each : objects) {
        texts.add(each instanceof Map<?, ?> own ? ofObject(own, inner) : "");
      }
      return texts;
    }
    for (String path : inputPaths()) {
      Object value = FieldPaths.values(document, path);
      List<?> items = value instanceof List<?> list ? list : Arrays.asList(value);
      for (Object item : items) {
        texts.add(encoder.join(InputText.of(path, item)));
      }
    }
    return texts;
  }

  private List<String> inputPaths() {
    return rule.inputs().stream().flatMap(each -> each.paths().stream()).toList();
  }

  private String ofObject(Map<?, ?> object, List<String> paths) {
    List<String> texts = new ArrayList<>();
    for (String path : paths) {
      texts.add(encoder.join(InputText.of(path, FieldPaths.values(object, path))));
    }
    return encoder.join(texts);
  }

  /** The list whose objects have the inputs; null where there is none. */
  private List<?> objects(Map<?, ?> document) {
    String parent = commonParent();
    return !parent.isEmpty() && FieldPaths.value(document, parent) instanceof List<?> objects
        ? objects
        : null;
  }

  /** Paths within such an object. */
  private List<String> inner(List<String> paths) {
    int length = commonParent().length() + 1;
    return paths.stream().map(path -> path.substring(length)).toList();
  }

  /** The longest path that leads to every input; empty where none does. */
  private String commonParent() {
    List<String> paths = inputPaths();
    String parent = parent(paths.get(0));
    for (String path : paths) {
      while (!parent.isEmpty() && !path.startsWith(parent + ".")) {
        parent = parent(parent);
      }
    }
    return parent;
  }

  private static String parent(String path) {
    return path.substring(0, Math.max(0, path.lastIndexOf('.')));
  }

  private String text(Map<?, ?> document, TextRule.Input input) {
    return encoder.join(input.texts(document));
  }
}
