package org.densehook.elasticsearch.search;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.densehook.bundle.Blank;
import org.densehook.encode.Content;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.search.fetch.subphase.highlight.HighlightBuilder;

/**
 * What a search asks of highlighters of type {@code densehook}. Each gets a query that is rewritten
 * with the others of the search: so the text is encoded where the search is coordinated, beneath
 * whatever query or retriever.
 */
final class PassageHighlights {

  /** The type that requests name. */
  static final String TYPE = "densehook";

  private static final String FIELD = "field";
  private static final String TEXT = "text";
  private static final String MAX_SENTENCES = "max_sentences";
  private static final List<String> KNOWN = List.of(FIELD, TEXT, MAX_SENTENCES);

  private static final int DEFAULT_SENTENCES = 32;

  private PassageHighlights() {}

  /**
   * Gives each of these highlighters its query.
   *
   * @param asked the texts that the search encodes
   * @param time how long hits may wait for their sentences' vectors
   * @throws IllegalArgumentException for options that cannot be, and where the text is not certain
   */
  static void prepare(
      HighlightBuilder highlights,
      Set<DensePlaces.Asked> asked,
      Supplier<SearchServices> services,
      TimeValue time) {
    for (HighlightBuilder.Field field : highlights.fields()) {
      String type =
          field.highlighterType() == null ? highlights.highlighterType() : field.highlighterType();
      if (TYPE.equals(type)) {
        Map<String, Object> options = new HashMap<>();
        addAll(options, highlights.options());
        addAll(options, field.options());
        if (field.highlightQuery() != null || highlights.highlightQuery() != null) {
          throw refused(field.name(), "takes no [highlight_query]; give the [text] in [options]");
        }
        field.highlightQuery(query(field.name(), options, asked, services, time));
      }
    }
  }

  private static void addAll(Map<String, Object> options, Map<String, Object> more) {
    if (more != null) {
      options.putAll(more);
    }
  }

  private static HighlightedTextBuilder query(
      String name,
      Map<String, Object> options,
      Set<DensePlaces.Asked> asked,
      Supplier<SearchServices> services,
      TimeValue time) {
    for (String option : options.keySet()) {
      if (!KNOWN.contains(option)) {
        throw refused(name, "has an unknown option [" + option + "]; known are " + KNOWN);
      }
    }
    String stated = text(name, options, TEXT);
    Content.Text query = stated == null ? null : new Content.Text(stated);
    String field = text(name, options, FIELD);
    List<String> fields = field == null ? List.of() : List.of(field);
    if (query == null) {
      DensePlaces.Asked only = only(name, asked);
      query = only.query();
      fields = field == null ? only.fields() : fields;
    }
    int sentences = sentences(name, options.getOrDefault(MAX_SENTENCES, DEFAULT_SENTENCES));
    return new HighlightedTextBuilder(services, name, query, fields, sentences, time);
  }

  private static DensePlaces.Asked only(String name, Set<DensePlaces.Asked> asked) {
    if (asked.stream().map(DensePlaces.Asked::query).distinct().count() != 1) {
      throw refused(
          name,
          String.format(
              Locale.ROOT,
              "needs a text: give [options] {\"text\": …}, since the search has %s in [dense] or"
                  + " the short [hybrid]",
              asked.isEmpty() ? "none" : "several"));
    }
    DensePlaces.Asked first = asked.iterator().next();
    List<String> fields =
        asked.stream()
            .flatMap(each -> each.fields().stream())
            .distinct()
            .collect(Collectors.toList());
    return new DensePlaces.Asked(first.query(), fields);
  }

  private static String text(String name, Map<String, Object> options, String option) {
    Object value = options.get(option);
    if (value != null && !(value instanceof String text && !Blank.is(text))) {
      throw refused(name, "has [" + option + "] [" + value + "] in its [options]; give a text");
    }
    return (String) value;
  }

  private static int sentences(String name, Object value) {
    if (value instanceof Integer number && number >= 1) {
      return number;
    }
    throw refused(name, "has [" + MAX_SENTENCES + "] [" + value + "] in its [options]; at least 1");
  }

  static IllegalArgumentException refused(String name, String why) {
    return new IllegalArgumentException(called(name) + " " + why);
  }

  /** The highlighter of a field, as messages call it. */
  static String called(String name) {
    return "highlighter [" + TYPE + "] of [" + name + "]";
  }
}
