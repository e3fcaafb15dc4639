package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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

  /** The same, also of a field within a list of objects: the list of what each of them has. */
  public static Object values(Map<?, ?> document, String path) {
    Object value = document.get(path);
    for (int dot = path.indexOf('.'); value == null && dot >= 0; dot = path.indexOf('.', dot + 1)) {
      Object inner = document.get(path.substring(0, dot));
      String rest = path.substring(dot + 1);
      if (inner instanceof Map<?, ?> object) {
        value = values(object, rest);
      } else if (inner instanceof List<?> list) {
        List<Object> within = new ArrayList<>();
        for (Object each : list) {
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
