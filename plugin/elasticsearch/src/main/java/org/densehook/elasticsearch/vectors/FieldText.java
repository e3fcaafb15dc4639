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
    return new PromptedText(text(document), rule.prompt(document));
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
    List<String> paths = rule.inputs().stream().flatMap(each -> each.paths().stream()).toList();
    List<String> texts = new ArrayList<>();
    String parent = commonParent(paths);
    if (!parent.isEmpty() && FieldPaths.value(document, parent) instanceof List<?> objects) {
      List<String> inner = paths.stream().map(path -> path.substring(parent.length() + 1)).toList();
      for (Object each : objects) {
        texts.add(each instanceof Map<?, ?> own ? ofObject(own, inner) : "");
      }
      return texts;
    }
    for (String path : paths) {
      Object value = FieldPaths.values(document, path);
      List<?> items = value instanceof List<?> list ? list : Arrays.asList(value);
      for (Object item : items) {
        texts.add(encoder.join(InputText.of(path, item)));
      }
    }
    return texts;
  }

  private String ofObject(Map<?, ?> object, List<String> paths) {
    List<String> texts = new ArrayList<>();
    for (String path : paths) {
      texts.add(encoder.join(InputText.of(path, FieldPaths.values(object, path))));
    }
    return encoder.join(texts);
  }

  /** The longest path that leads to every field; empty where none does. */
  private static String commonParent(List<String> paths) {
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
