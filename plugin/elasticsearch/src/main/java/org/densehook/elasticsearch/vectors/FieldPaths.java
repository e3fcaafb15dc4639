package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Fields by their path in a document. Elasticsearch reads {@code {"a.b": 1}} and {@code {"a": {"b":
 * 1}}} as the same field; so must whoever asks whether a document has it.
 */
public final class FieldPaths {

  private FieldPaths() {}

  /** The value of a field, however its path is spelled; null when there is none. */
  public static Object value(Map<?, ?> document, String path) {
    Object value = document.get(path);
    for (int dot = path.indexOf('.'); value == null && dot >= 0; dot = path.indexOf('.', dot + 1)) {
      if (document.get(path.substring(0, dot)) instanceof Map<?, ?> inner) {
        value = value(inner, path.substring(dot + 1));
      }
    }
    return value;
  }

  /** The same, also of a field within lists of objects: the list of what each of them has. */
  public static Object values(Map<?, ?> document, String path) {
    Object value = document.get(path);
    for (int dot = path.indexOf('.'); value == null && dot >= 0; dot = path.indexOf('.', dot + 1)) {
      Object inner = document.get(path.substring(0, dot));
      String rest = path.substring(dot + 1);
      if (inner instanceof Map<?, ?> object) {
        value = values(object, rest);
      } else if (inner instanceof List<?> list) {
        List<Object> within = new ArrayList<>();
        for (Object each : items(list)) {
          Object own = each instanceof Map<?, ?> object ? values(object, rest) : null;
          if (own != null) {
            within.add(own);
          }
        }
        value = within.isEmpty() ? null : within;
      }
    }
    return value;
  }

  /** What a document has of several fields, as {@link #values}: null for nothing. */
  static List<Object> row(Map<?, ?> document, List<String> paths) {
    return paths.stream().map(path -> values(document, path)).toList();
  }

  /**
   * For each object at the path of a parent what it has of fields in it, in their order. A null
   * among the objects has nothing, and is one of them all the same.
   *
   * @param value an object that leads to the parent, or is it
   * @param parent empty for the object itself
   * @param paths those of the fields, from the same place as the parent's
   */
  static List<List<Object>> rows(Object value, String parent, List<String> paths) {
    if (!(value instanceof Map<?, ?> document)) {
      return parent.isEmpty() ? List.of(Collections.nCopies(paths.size(), null)) : List.of();
    }
    if (parent.isEmpty()) {
      return List.of(row(document, paths));
    }
    List<List<Object>> rows = rowsBelow(document, parent, parent, paths);
    for (int dot = parent.indexOf('.');
        rows.isEmpty() && dot >= 0;
        dot = parent.indexOf('.', dot + 1)) {
      rows = rowsBelow(document, parent.substring(0, dot), parent, paths);
    }
    if (!rows.isEmpty()) {
      return rows;
    }
    List<Object> row = row(document, paths); // the parent is spelled in one with its fields
    return row.stream().allMatch(Objects::isNull) ? List.of() : List.of(row);
  }

  /** Those of the objects that are found by a key, which is the parent's path or begins it. */
  private static List<List<Object>> rowsBelow(
      Map<?, ?> document, String key, String parent, List<String> paths) {
    List<List<Object>> rows = new ArrayList<>();
    if (document.get(key) != null) {
      int start = key.length() + 1;
      String rest = key.equals(parent) ? "" : parent.substring(start);
      List<String> within = paths.stream().map(path -> path.substring(start)).toList();
      for (Object each : items(document.get(key))) {
        rows.addAll(rows(each, rest, within));
      }
    }
    return rows;
  }

  /** The items of a list and of those in it, all one list to Elasticsearch; else the value. */
  static List<Object> items(Object value) {
    List<Object> items = new ArrayList<>();
    addItems(value, items);
    return items;
  }

  private static void addItems(Object value, List<Object> items) {
    if (value instanceof List<?> list) {
      list.forEach(each -> addItems(each, items));
    } else {
      items.add(value);
    }
  }

  /** Whether the document has the field, however its path is spelled; null counts. */
  public static boolean has(Map<?, ?> document, String path) {
    if (document.containsKey(path)) {
      return true;
    }
    for (int dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
      if (document.get(path.substring(0, dot)) instanceof Map<?, ?> inner
          && has(inner, path.substring(dot + 1))) {
        return true;
      }
    }
    return false;
  }

  /** Takes the field away, however its path is spelled. */
  public static void remove(Map<String, Object> document, String path) {
    document.remove(path);
    for (int dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
      if (document.get(path.substring(0, dot)) instanceof Map<?, ?> inner) {
        remove(object(inner), path.substring(dot + 1));
      }
    }
  }

  /** Sets the field, in the object its path names, which is made where it is missing. */
  public static void put(Map<String, Object> document, String path, Object value) {
    int dot = path.indexOf('.');
    String head = dot < 0 ? path : path.substring(0, dot);
    Object there = document.get(head);
    if (dot >= 0 && there instanceof Map<?, ?> inner) {
      put(object(inner), path.substring(dot + 1), value);
    } else if (dot >= 0 && !document.containsKey(head)) {
      Map<String, Object> made = new LinkedHashMap<>();
      put(made, path.substring(dot + 1), value);
      document.put(head, made);
    } else {
      document.put(path, value); // where the object should be is something else: spelled in one
    }
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(Map<?, ?> map) {
    return (Map<String, Object>) map;
  }
}
