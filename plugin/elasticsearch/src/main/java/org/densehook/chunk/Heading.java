package org.densehook.chunk;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A heading of a Markdown text: a line that begins with up to six {@code #}, but not in a fence.
 *
 * @param start the first code point of its line
 * @param name what it says, without the marks that may close it
 */
record Heading(int start, String name) {

  private static final int MOST_OF_A_NAME = 256; // code points
  private static final Pattern HEADING =
      Pattern.compile(" {0,3}#{1,6}(?:[ \\t]+(.*))?", Pattern.DOTALL);
  private static final Pattern FENCE = Pattern.compile(" {0,3}(`{3,}|~{3,})");
  private static final String SPACES = " \t";

  static List<Heading> in(String text) {
    List<Heading> headings = new ArrayList<>();
    int at = 0;
    String fence = "";
    for (String line : text.split("\n", -1)) {
      Matcher opens = FENCE.matcher(line);
      if (opens.lookingAt()) {
        fence = fence(fence, opens.group(1), line.substring(opens.end()));
      } else if (fence.isEmpty()) {
        Matcher found = HEADING.matcher(stripped(line, SPACES + '\r'));
        if (found.matches()) {
          headings.add(new Heading(at, named(found.group(1) == null ? "" : found.group(1))));
        }
      }
      at += line.codePointCount(0, line.length()) + 1;
    }
    return headings;
  }

  /**
   * The fence that is open behind a line which begins like one, empty for none (CommonMark 4.5).
   *
   * <p>One is closed by a mark of its own character that is as long at least, with nothing behind
   * it. A line with more backticks behind its own is code within a line.
   */
  private static String fence(String open, String mark, String rest) {
    if (!open.isEmpty()) {
      return mark.startsWith(open) && stripped(rest, SPACES + '\r').isEmpty() ? "" : open;
    }
    return mark.startsWith("`") && rest.contains("`") ? "" : mark;
  }

  private static String named(String heading) {
    String open = stripped(heading, "#");
    boolean closed =
        open.length() < heading.length()
            && (open.isEmpty() || SPACES.indexOf(open.charAt(open.length() - 1)) >= 0);
    String name = stripped(closed ? open : heading, SPACES);
    int first = 0;
    while (first < name.length() && SPACES.indexOf(name.charAt(first)) >= 0) {
      first++;
    }
    name = name.substring(first);
    return name.codePointCount(0, name.length()) <= MOST_OF_A_NAME
        ? name
        : name.substring(0, name.offsetByCodePoints(0, MOST_OF_A_NAME));
  }

  /** Without such characters at its end. */
  private static String stripped(String text, String characters) {
    int end = text.length();
    while (end > 0 && characters.indexOf(text.charAt(end - 1)) >= 0) {
      end--;
    }
    return text.substring(0, end);
  }
}
