package org.densehook.bundle;

import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;

/** JSON with sorted keys, without spaces, in ASCII: the bytes a fingerprint is taken over. */
final class CanonicalJson {

  private CanonicalJson() {}

  static String of(JsonElement value) {
    StringBuilder text = new StringBuilder();
    write(value, text);
    return text.toString();
  }

  private static void write(JsonElement value, StringBuilder text) {
    if (value.isJsonObject()) {
      text.append('{');
      Map<String, JsonElement> sorted = new TreeMap<>(value.getAsJsonObject().asMap());
      for (Iterator<Map.Entry<String, JsonElement>> i = sorted.entrySet().iterator();
          i.hasNext(); ) {
        Map.Entry<String, JsonElement> entry = i.next();
        quote(entry.getKey(), text);
        text.append(':');
        write(entry.getValue(), text);
        text.append(i.hasNext() ? "," : "");
      }
      text.append('}');
    } else if (value.isJsonArray()) {
      text.append('[');
      for (Iterator<JsonElement> i = value.getAsJsonArray().iterator(); i.hasNext(); ) {
        write(i.next(), text);
        text.append(i.hasNext() ? "," : "");
      }
      text.append(']');
    } else if (value instanceof JsonPrimitive primitive && primitive.isString()) {
      quote(primitive.getAsString(), text);
    } else {
      text.append(value); // numbers keep the digits they were written with
    }
  }

  private static void quote(String string, StringBuilder text) {
    text.append('"');
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      switch (c) {
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        case '\b' -> text.append("\\b");
        case '\f' -> text.append("\\f");
        default -> {
          if (c >= ' ' && c <= '~') {
            text.append(c);
          } else {
            text.append(String.format("\\u%04x", (int) c));
          }
        }
      }
    }
    text.append('"');
  }
}
