package org.densehook.elasticsearch.vectors;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.elasticsearch.common.bytes.BytesArray;
import org.elasticsearch.common.bytes.BytesReference;
import org.elasticsearch.common.io.stream.BytesStreamOutput;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentFactory;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xcontent.XContentParserConfiguration;
import org.elasticsearch.xcontent.XContentType;

/**
 * Reads and changes single fields of a document's source. What belongs to no field of interest is
 * passed over, so that a bulk of large documents is never in memory as objects.
 */
public final class DocumentSource {

  private DocumentSource() {}

  /**
   * The part of a document in which fields lie: the top-level keys that are their paths or lead to
   * them, with all below.
   *
   * @throws IllegalArgumentException when the source is no object; else as the parser does
   */
  public static Map<String, Object> part(
      BytesReference source, XContentType type, Collection<String> paths) throws IOException {
    Map<String, Object> part = new LinkedHashMap<>();
    try (XContentParser parser = parser(source, type)) {
      if (parser.nextToken() != XContentParser.Token.START_OBJECT) {
        throw new IllegalArgumentException("the document is no object");
      }
      while (parser.nextToken() != XContentParser.Token.END_OBJECT) {
        String key = parser.currentName();
        parser.nextToken();
        if (leadsToAny(key, paths)) {
          part.put(key, value(parser));
        } else {
          parser.skipChildren();
        }
      }
    }
    return part;
  }

  /** The same of a document that is in memory. */
  public static Map<String, Object> part(Map<String, Object> source, Collection<String> paths) {
    Map<String, Object> part = new LinkedHashMap<>();
    source.forEach(
        (key, value) -> {
          if (value != null && leadsToAny(key, paths)) {
            part.put(key, value);
          }
        });
    return part;
  }

  /**
   * The document with other vectors.
   *
   * @param vectors by field; null takes the field away
   */
  public static BytesReference with(
      BytesReference source, XContentType type, Map<String, Object> vectors) throws IOException {
    Map<String, Object> part = part(source, type, vectors.keySet());
    // most documents: a field of JSON is put in front, and all else stays as it was sent
    boolean prepends =
        type.canonical() == XContentType.JSON
            && part.isEmpty()
            && source.get(0) == '{'
            && opensAField(source);
    vectors.forEach(
        (path, vector) -> {
          FieldPaths.remove(part, path);
          if (vector != null) {
            FieldPaths.put(part, path, vector);
          }
        });
    return prepends && !part.isEmpty()
        ? prepended(source, part)
        : replaced(source, type, vectors.keySet(), part);
  }

  /**
   * Whether a field's name follows the brace: in an empty object nothing does, and in UTF-16 a 0.
   */
  private static boolean opensAField(BytesReference source) {
    for (int at = 1; at < source.length(); at++) {
      byte next = source.get(at);
      if (next != ' ' && next != '\t' && next != '\n' && next != '\r') {
        return next == '"';
      }
    }
    return false;
  }

  /** The document as it was sent, byte by byte, behind other fields; it has some of its own. */
  private static BytesReference prepended(BytesReference source, Map<String, Object> fields)
      throws IOException {
    BytesReference object;
    try (XContentBuilder builder = XContentFactory.jsonBuilder()) {
      object = BytesReference.bytes(builder.map(fields));
    }
    try (BytesStreamOutput out = new BytesStreamOutput(object.length() + source.length())) {
      object.slice(0, object.length() - 1).writeTo(out);
      out.writeByte((byte) ',');
      source.slice(1, source.length() - 1).writeTo(out);
      return new BytesArray(out.bytes().toBytesRef());
    }
  }

  private static BytesReference replaced(
      BytesReference source, XContentType type, Collection<String> paths, Map<String, Object> part)
      throws IOException {
    try (XContentParser parser = parser(source, type);
        XContentBuilder builder = XContentFactory.contentBuilder(type)) {
      parser.nextToken();
      builder.startObject();
      while (parser.nextToken() != XContentParser.Token.END_OBJECT) {
        if (leadsToAny(parser.currentName(), paths)) {
          parser.nextToken();
          parser.skipChildren();
        } else {
          builder.copyCurrentStructure(parser);
        }
      }
      for (Map.Entry<String, Object> field : part.entrySet()) {
        builder.field(field.getKey(), field.getValue());
      }
      return BytesReference.bytes(builder.endObject());
    }
  }

  /** The same document, which changes of the one do not reach. */
  @SuppressWarnings("unchecked") // a copy of a map is one
  public static Map<String, Object> copy(Map<String, Object> document) {
    return (Map<String, Object>) copyOf(document);
  }

  private static Object copyOf(Object value) {
    if (value instanceof Map<?, ?> object) {
      Map<Object, Object> copy = new LinkedHashMap<>();
      object.forEach((key, inner) -> copy.put(key, copyOf(inner)));
      return copy;
    }
    if (value instanceof List<?> list) {
      List<Object> copy = new ArrayList<>(list.size());
      list.forEach(inner -> copy.add(copyOf(inner)));
      return copy;
    }
    return value;
  }

  private static XContentParser parser(BytesReference source, XContentType type)
      throws IOException {
    return XContentHelper.createParser(XContentParserConfiguration.EMPTY, source, type);
  }

  private static boolean leadsToAny(String key, Collection<String> paths) {
    for (String path : paths) {
      if (path.startsWith(key)
          && (path.length() == key.length() || path.charAt(key.length()) == '.')) {
        return true;
      }
    }
    return false;
  }

  private static Object value(XContentParser parser) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> parser.mapOrdered();
      case START_ARRAY -> parser.listOrderedMap();
      case VALUE_STRING -> parser.text();
      case VALUE_NUMBER -> parser.numberValue();
      case VALUE_BOOLEAN -> parser.booleanValue();
      case VALUE_EMBEDDED_OBJECT -> parser.binaryValue();
      default -> null;
    };
  }
}
