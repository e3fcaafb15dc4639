package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.densehook.chunk.LongText.Item;

/**
 * What a document's text is made by: {@code {title}: {body}}. A name in braces is an input, two
 * braces are one.
 *
 * @param stated as the mapping states it
 * @param pieces literal text and the name of an input, by turns; literal text first and last
 */
public record TextTemplate(String stated, List<String> pieces) {

  /**
   * Reads a template.
   *
   * @param inputs the names that it has to have in braces, all of them
   * @throws IllegalArgumentException for what is no template of these
   */
  public static TextTemplate parse(Object stated, List<String> inputs) {
    if (!(stated instanceof String template)) {
      throw new IllegalArgumentException(
          "template is [" + stated + "]; it is a text with inputs in braces");
    }
    List<String> pieces = pieces(template);
    List<String> named = new ArrayList<>();
    for (int i = 1; i < pieces.size(); i += 2) {
      String name = pieces.get(i);
      if (!inputs.contains(name)) {
        throw new IllegalArgumentException(
            "template names [" + onOneLine(name) + "], which is no input; inputs are " + inputs);
      }
      named.add(name);
    }
    for (String input : inputs) {
      if (!named.contains(input)) {
        throw new IllegalArgumentException(
            "template does not name input ["
                + input
                + "]; put it there in braces, or take it out of [input]");
      }
    }
    return new TextTemplate(template, pieces);
  }

  private static List<String> pieces(String template) {
    List<String> pieces = new ArrayList<>();
    StringBuilder literal = new StringBuilder();
    for (int at = 0; at < template.length(); at++) {
      char next = template.charAt(at);
      if (next != '{' && next != '}') {
        literal.append(next);
      } else if (template.startsWith(String.valueOf(next), at + 1)) {
        literal.append(next);
        at++;
      } else {
        int end = next == '{' ? template.indexOf('}', at) : -1;
        if (end < 0) {
          throw new IllegalArgumentException(
              "template has a ["
                  + next
                  + "] without its other half; a brace that is text is written twice");
        }
        pieces.add(literal.toString());
        pieces.add(template.substring(at + 1, end));
        literal.setLength(0);
        at = end;
      }
    }
    pieces.add(literal.toString());
    return List.copyOf(pieces);
  }

  private static String onOneLine(String text) {
    return text.replace("\n", "\\n").replace("\r", "\\r");
  }

  /**
   * The text.
   *
   * @param texts those of the inputs, by their names
   */
  String filled(Map<String, String> texts) {
    return items(texts).stream().map(Item::text).collect(Collectors.joining());
  }

  /** What the text is made of, in its order: texts by their inputs, literal text without a name. */
  List<Item> items(Map<String, String> texts) {
    List<Item> items = new ArrayList<>(pieces.size());
    for (int i = 0; i < pieces.size(); i++) {
      String piece = pieces.get(i);
      items.add(i % 2 == 0 ? new Item(null, piece) : new Item(piece, texts.get(piece)));
    }
    return items;
  }
}
