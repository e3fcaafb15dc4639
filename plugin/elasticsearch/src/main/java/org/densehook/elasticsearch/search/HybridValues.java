package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.densehook.bundle.Blank;
import org.elasticsearch.common.ParsingException;
import org.elasticsearch.xcontent.NamedObjectNotFoundException;
import org.elasticsearch.xcontent.XContentLocation;
import org.elasticsearch.xcontent.XContentParseException;
import org.elasticsearch.xcontent.XContentParser;

/** Reads single values of a hybrid retriever's body; what is wrong with one is said in a line. */
final class HybridValues {

  private HybridValues() {}

  /** A text that is not blank. */
  static String text(XContentParser parser, String place, String allowed) throws IOException {
    if (parser.currentToken() != XContentParser.Token.VALUE_STRING || Blank.is(parser.text())) {
      throw wrong(parser, place, seen(parser), allowed);
    }
    return parser.text();
  }

  static int positive(XContentParser parser, String place) throws IOException {
    String allowed = "a whole number of at least 1";
    try {
      int value = number(parser, place, allowed).intValueExact();
      if (value >= 1) {
        return value;
      }
    } catch (ArithmeticException e) {
      // not whole, or too large: refused below
    }
    throw wrong(parser, place, seen(parser), allowed);
  }

  static double atLeastZero(XContentParser parser, String place) throws IOException {
    String allowed = "a number of at least 0";
    double value = number(parser, place, allowed).doubleValue();
    if (!(value >= 0 && value <= Float.MAX_VALUE)) {
      throw wrong(parser, place, seen(parser), allowed);
    }
    return value;
  }

  /** One of several names. */
  static String oneOf(XContentParser parser, String place, Collection<String> known)
      throws IOException {
    String allowed = "one of " + known;
    String stated = text(parser, place, allowed);
    if (!known.contains(stated)) {
      throw wrong(parser, place, stated, allowed);
    }
    return stated;
  }

  /** What one item of a list is. */
  @FunctionalInterface
  interface Item<T> {
    T read(XContentParser parser, int position) throws IOException;
  }

  /** The items of a list, or a single one without it. */
  static <T> List<T> oneOrMore(XContentParser parser, Item<T> item) throws IOException {
    List<T> items = new ArrayList<>();
    if (parser.currentToken() != XContentParser.Token.START_ARRAY) {
      items.add(item.read(parser, 0));
      return items;
    }
    while (parser.nextToken() != XContentParser.Token.END_ARRAY) {
      items.add(item.read(parser, items.size()));
    }
    return items;
  }

  /** A number, also in quotes, as elsewhere in Elasticsearch: templates write it so. */
  private static BigDecimal number(XContentParser parser, String place, String allowed)
      throws IOException {
    XContentParser.Token token = parser.currentToken();
    if (token == XContentParser.Token.VALUE_NUMBER || token == XContentParser.Token.VALUE_STRING) {
      try {
        return new BigDecimal(parser.text());
      } catch (NumberFormatException e) {
        // refused below
      }
    }
    throw wrong(parser, place, seen(parser), allowed);
  }

  /** The value at hand, as a message shows it. */
  static String seen(XContentParser parser) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "a list";
      case VALUE_NULL -> "null";
      default -> parser.text();
    };
  }

  static ParsingException wrong(XContentParser parser, String place, String seen, String allowed) {
    return refused(parser, "[" + place + "] is [" + seen + "]; it must be " + allowed);
  }

  static ParsingException refused(XContentParser parser, String message) {
    return new ParsingException(parser.getTokenLocation(), named(message));
  }

  /** An ObjectParser wraps what is wrong once a level; one line is to say it. */
  static ParsingException innermost(XContentParseException wrapped) {
    XContentLocation place = wrapped.getLocation();
    String told = null;
    Throwable outer = null;
    for (Throwable cause = wrapped; cause != null; cause = cause.getCause()) {
      if (cause instanceof ParsingException whole) {
        place = new XContentLocation(whole.getLineNumber(), whole.getColumnNumber());
        told = whole.getMessage();
      } else if (cause instanceof NamedObjectNotFoundException
          && outer instanceof ParsingException) {
        break; // which says what there is instead
      } else if (cause instanceof XContentParseException part) {
        place = part.getLocation();
        told = part.getMessage().replaceFirst("^\\[\\d+:\\d+] ", "");
      } else if (cause instanceof IllegalArgumentException
          && !(cause instanceof NumberFormatException)) { // which says neither what nor where
        told = cause.getMessage();
      }
      outer = cause;
    }
    return new ParsingException(place, told.startsWith("[") ? told : named(told), wrapped);
  }

  /** The message as every one of this retriever begins. */
  static String named(String message) {
    return "[" + HybridRetrieverBuilder.NAME + "] " + message;
  }
}
