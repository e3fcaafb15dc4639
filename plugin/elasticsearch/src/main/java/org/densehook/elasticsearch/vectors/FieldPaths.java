package org.densehook.elasticsearch.vectors;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Fields by their path in a document. Elasticsearch reads {@code {"a.b": 1}} and {@code {"a": {"b":
 * 1}}} as the same field; so must whoever asks whether a document has it.
 */
public final class FieldPaths {

  private FieldPaths() {}

  /** The value of an input, as the Python package reads it; null when there is none. */
  public static Object value(Map<?, ?> document, String path) {
    Map<?, ?> inner = document;
    String rest = path;
    while (!inner.containsKey(rest)) {
      int dot = rest.indexOf('.');
      if (dot < 0 || !(inner.get(rest.substring(0, dot)) instanceof Map<?, ?> next)) {
        return null;
      }
      inner = next;
      rest = rest.substring(dot + 1);
    }
    return inner.get(rest);
  }

  /** Whether the document has the field, however its path is spelled; null counts. */
  public static boolean has(Map<?, ?> document, String path) {
    return find(document, path, false);
  }

  /** Whether the document has a value of the field, however its path is spelled. */
  public static boolean hasValue(Map<?, ?> document, String path) {
    return find(document, path, true);
  }

  private static boolean find(Map<?, ?> document, String path, boolean value) {
    if (value ? document.get(path) != null : document.containsKey(path)) {
      return true;
    }
    for (int dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
      if (document.get(path.substring(0, dot)) instanceof Map<?, ?> inner
          && find(inner, path.substring(dot + 1), value)) {
        return true;
      }
    }
    return false;
  }

  /** Whether merging a partial document into another may change what the field is there. */
  public static boolean touches(Map<?, ?> partial, String path) {
    if (partial.containsKey(path)) {
      return true;
    }
    for (int dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
      String head = path.substring(0, dot);
      // an object is merged into the one that is there, anything else takes its place
      if (partial.containsKey(head)
          && (!(partial.get(head) instanceof Map<?, ?> inner)
              || touches(inner, path.substring(dot + 1)))) {
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
