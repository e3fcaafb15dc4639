package org.densehook.chunk;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * A document's text, as it is cut: in parts that no chunk crosses, each chunk behind a prefix.
 *
 * @param text all of it
 * @param parts where they begin, the first at 0; none for a text in one part
 * @param prefix what is put before each chunk, joiner and all
 */
public record LongText(String text, List<Part> parts, String prefix) {

  /**
   * A part of a text.
   *
   * @param start its first code point
   * @param name a section's name, or an item's number
   */
  public record Part(int start, Object name) {}

  /** A text that is by itself what a document gives, before it is put together. */
  public record Item(Object name, String text) {}

  /** A text in one part, with nothing before its chunks. */
  public static LongText of(String text) {
    return new LongText(text, List.of(), "");
  }

  /**
   * Items, none of them blank, put together.
   *
   * @param headings whether an item has a part for each of its Markdown headings, too
   */
  public static LongText of(List<Item> items, String joiner, boolean headings, String prefix) {
    List<Part> parts = new ArrayList<>();
    int start = 0;
    for (Item item : items) {
      parts.add(new Part(start, item.name));
      if (headings) {
        addHeadings(parts, start, item);
      }
      start += points(item.text) + points(joiner);
    }
    return new LongText(
        String.join(joiner, items.stream().map(Item::text).toList()), parts, prefix);
  }

  private static void addHeadings(List<Part> parts, int start, Item item) {
    int[] text = item.text.codePoints().toArray();
    for (Iterator<Heading> found = Heading.in(item.text).iterator(); found.hasNext(); ) {
      Heading heading = found.next();
      Object name = heading.name().isEmpty() ? item.name : heading.name();
      int at = 0;
      while (at < heading.start() && Breaks.isSpace(text[at])) {
        at++;
      }
      if (at < heading.start()) {
        parts.add(new Part(start + heading.start(), name));
      } else {
        parts.set(parts.size() - 1, new Part(start, name));
      }
    }
  }

  private static int points(String text) {
    return text.codePointCount(0, text.length());
  }

  /** Whether there is no text. */
  public boolean isEmpty() {
    return text.isEmpty();
  }
}
