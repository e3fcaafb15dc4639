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
record FieldText(EmbeddedField field, EncoderHandle encoder) {

  /**
   * As the model reads it; empty when there is none.
   *
   * @throws IllegalArgumentException when an input is an object
   */
  LongText of(Map<?, ?> document) {
    if (!field.isChunked()) {
      return LongText.of(encoder.join(texts(document, field.inputs())));
    }
    ChunkRule rule = field.chunk();
    String before = encoder.join(texts(document, rule.prefix()));
    String prefix = before.isEmpty() ? "" : before + encoder.joiner();
    if (rule.nameKey() == null) {
      return new LongText(encoder.join(texts(document, field.inputs())), List.of(), prefix);
    }
    boolean given = rule.by().equals(ChunkRule.BY_GIVEN);
    return LongText.of(
        given ? numbered(given(document)) : named(document), encoder.joiner(), !given, prefix);
  }

  private List<Item> named(Map<?, ?> document) {
    List<Item> items = new ArrayList<>();
    for (String input : field.inputs()) {
      String text = text(document, input);
      if (!text.isEmpty()) {
        items.add(new Item(input, text));
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
    String parent = commonParent();
    if (!parent.isEmpty() && FieldPaths.value(document, parent) instanceof List<?> objects) {
      List<String> inner =
          field.inputs().stream().map(input -> input.substring(parent.length() + 1)).toList();
      for (Object each : objects) {
        texts.add(each instanceof Map<?, ?> own ? encoder.join(texts(own, inner)) : "");
      }
      return texts;
    }
    for (String input : field.inputs()) {
      Object value = FieldPaths.values(document, input);
      List<?> items = value instanceof List<?> list ? list : Arrays.asList(value);
      for (Object item : items) {
        texts.add(encoder.join(InputText.of(input, item)));
      }
    }
    return texts;
  }

  /** The longest path that leads to every input; empty where none does. */
  private String commonParent() {
    String parent = parent(field.inputs().get(0));
    for (String input : field.inputs()) {
      while (!parent.isEmpty() && !input.startsWith(parent + ".")) {
        parent = parent(parent);
      }
    }
    return parent;
  }

  private static String parent(String path) {
    return path.substring(0, Math.max(0, path.lastIndexOf('.')));
  }

  private List<String> texts(Map<?, ?> document, List<String> paths) {
    return paths.stream().map(path -> text(document, path)).toList();
  }

  private String text(Map<?, ?> document, String path) {
    return encoder.join(InputText.of(path, FieldPaths.values(document, path)));
  }
}
