package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
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
 * item of a list does; of objects whose fields are the inputs, each object does.
 */
record FieldText(TextRule rule, ChunkRule chunk, EncoderHandle encoder) {

  /**
   * What begins a part where parts are given.
   *
   * @param place of it in its list
   * @param texts by the paths of its fields; empty where it has none
   */
  private record GivenItem(int place, Map<String, String> texts) {}

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
    List<Item> items = isGiven() ? numbered(given(document)) : named(document);
    return LongText.of(items, encoder.joiner(), !isGiven(), prefix);
  }

  private boolean isGiven() {
    return chunk != null && chunk.by().equals(ChunkRule.BY_GIVEN);
  }

  /**
   * What is put together, one behind the other with {@link #between}: texts by their inputs, of
   * what is given item by item; without a name what is of no input.
   */
  List<Item> byInput(Map<?, ?> document) {
    if (rule.template() != null) {
      Map<String, String> texts = rule.texts(document, encoder::join);
      return TextRule.isEmpty(texts) ? List.of() : rule.template().items(texts);
    }
    if (!isGiven()) {
      return named(document);
    }
    List<Item> items = new ArrayList<>();
    for (GivenItem given : given(document)) {
      given
          .texts()
          .forEach(
              (path, text) -> {
                if (!text.isEmpty()) {
                  items.add(new Item(inputOf(path), text));
                }
              });
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

  private List<Item> numbered(List<GivenItem> given) {
    List<Item> items = new ArrayList<>();
    for (GivenItem each : given) {
      String text = encoder.join(List.copyOf(each.texts().values()));
      if (!text.isEmpty()) {
        items.add(new Item(each.place(), text));
      }
    }
    return items;
  }

  private List<GivenItem> given(Map<?, ?> document) {
    List<String> paths = rule.inputs().stream().flatMap(each -> each.paths().stream()).toList();
    List<GivenItem> items = new ArrayList<>();
    addLists(document, paths.stream().distinct().toList(), items);
    return items;
  }

  /**
   * Adds the items of one list after the other. Fields of the same objects are together, and each
   * object is an item, also one that is in no list and has none in it; what is in several lists is
   * apart.
   */
  private void addLists(Map<?, ?> document, List<String> paths, List<GivenItem> items) {
    String parent = commonParent(paths);
    List<Object> values = FieldPaths.row(document, paths);
    List<List<Object>> rows = new ArrayList<>();
    if (!parent.isEmpty() && FieldPaths.values(document, parent) instanceof List<?>) {
      rows.addAll(FieldPaths.rows(document, parent, paths));
    } else if (!parent.isEmpty() && values.stream().noneMatch(List.class::isInstance)) {
      rows.add(values);
    } else if (paths.size() == 1) {
      FieldPaths.items(values.get(0)).forEach(item -> rows.add(Collections.singletonList(item)));
    } else {
      byNextName(paths, parent).forEach(each -> addLists(document, each, items));
    }
    for (int place = 0; place < rows.size(); place++) {
      items.add(new GivenItem(place, texts(paths, rows.get(place))));
    }
  }

  private Map<String, String> texts(List<String> paths, List<Object> row) {
    Map<String, String> texts = new LinkedHashMap<>();
    for (int i = 0; i < paths.size(); i++) {
      texts.put(paths.get(i), encoder.join(InputText.of(paths.get(i), row.get(i))));
    }
    return texts;
  }

  /** The paths, those together that go on below one more name. */
  private static Collection<List<String>> byNextName(List<String> paths, String parent) {
    int start = parent.isEmpty() ? 0 : parent.length() + 1;
    Map<String, List<String>> found = new LinkedHashMap<>();
    for (String path : paths) {
      int dot = path.indexOf('.', start);
      String name = dot < 0 ? path.substring(start) : path.substring(start, dot + 1);
      found.computeIfAbsent(name, key -> new ArrayList<>()).add(path);
    }
    return found.values();
  }

  /** The name of the input whose values documents have at a path. */
  private String inputOf(String path) {
    return rule.inputs().stream()
        .filter(input -> input.paths().contains(path))
        .map(TextRule.Input::name)
        .findFirst()
        .orElseThrow();
  }

  /** The longest path that leads to every field; empty where none does. */
  private static String commonParent(List<String> paths) {
    String parent = paths.isEmpty() ? "" : parent(paths.get(0));
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
