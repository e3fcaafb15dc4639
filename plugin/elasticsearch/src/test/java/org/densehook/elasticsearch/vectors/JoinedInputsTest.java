package org.densehook.elasticsearch.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.densehook.chunk.ChunkRule;
import org.densehook.elasticsearch.service.KnownEncoder;
import org.junit.jupiter.api.Test;

/** A place in a joined text is found again in the input that it is of, as characters count. */
final class JoinedInputsTest {

  private static final KnownEncoder ENCODER = new KnownEncoder("encoder", "f", 2);

  private static JoinedInputs joined(Map<String, Object> document) {
    EmbeddedField field =
        new EmbeddedField("v", List.of("title", "none", "body"), "encoder", "f", false);
    return JoinedInputs.of(field, ENCODER, document);
  }

  @Test
  void eachInputHasItsPartOfTheText() {
    JoinedInputs text =
        joined(Map.of("title", "🐳 sea", "none", " ", "body", List.of("One.", "Two.")));
    assertEquals("🐳 sea One. Two.", text.text());
    assertEquals("🐳 sea", text.of("title"));
    assertEquals("One. Two.", text.of("body"));
    assertEquals("", text.of("none"));
    assertEquals("sea", text.within("title", 2, 10));
    assertEquals("One.", text.within("body", 2, 10));
    assertEquals("", text.within("body", 0, 5));
    assertEquals("", text.within("title", 6, 10));
  }

  @Test
  void everyPlaceOfALongTextIsFound() {
    String text = "🐳ab c".repeat(300);
    JoinedInputs joined = joined(Map.of("title", text));
    int[] points = text.codePoints().toArray();
    for (int start = 0; start < points.length; start += 7) {
      for (int end = start; end <= points.length; end += 101) {
        assertEquals(
            new String(points, start, end - start).strip(), joined.within("title", start, end));
      }
    }
  }

  @Test
  void manyPlacesOfALongTextAreFoundInLittleMoreTimeThanItTakesToReadIt() {
    JoinedInputs joined = joined(Map.of("title", "🐳 word ".repeat(120_000)));
    assertTimeoutPreemptively(
        Duration.ofSeconds(10),
        () -> {
          for (int start = 0; start < 800_000; start += 20) {
            joined.within("title", start, start + 20);
          }
        });
  }

  @Test
  void objectsInAListGiveTheirInputsInTurn() {
    ChunkRule rule = ChunkRule.parse(Map.of("by", "given"));
    TextRule inputs = TextRule.joining(List.of("talk.by", "talk.text"));
    EmbeddedField field =
        new EmbeddedField(
            "p.v", inputs, "encoder", "f", FieldFormat.ofType("dense_vector"), false, rule, null);
    List<Map<String, String>> talk =
        List.of(Map.of("by", "Ada", "text", "Hello."), Map.of("by", "Bo"), Map.of("text", "Bye."));
    JoinedInputs text = JoinedInputs.of(field, ENCODER, Map.of("talk", talk));
    assertEquals("Ada Hello. Bo Bye.", text.text());
    assertEquals("Hello.", text.within("talk.text", 0, 10));
    assertEquals("Ada Bo", text.of("talk.by"));
    assertEquals("Bye.", text.within("talk.text", 14, 18));
  }

  @Test
  void ofATemplateEachInputHasItsPlaces() {
    List<String> names = List.of("title", "body");
    TextTemplate template = TextTemplate.parse("🐳 {title}: {body} ({title})", names);
    TextRule inputs =
        new TextRule(TextRule.joining(names).inputs(), template, null, List.of(), Modality.TEXT);
    EmbeddedField field =
        new EmbeddedField(
            "v", inputs, "encoder", "f", FieldFormat.ofType("dense_vector"), false, null, null);
    JoinedInputs text =
        JoinedInputs.of(field, ENCODER, Map.of("title", "Sea", "body", "One. Two."));
    assertEquals("🐳 Sea: One. Two. (Sea)", text.text());
    assertEquals("Two.", text.within("body", 11, 40));
    assertEquals("Sea Sea", text.of("title"));
    assertEquals(List.of(), JoinedInputs.of(field, ENCODER, Map.of()).parts());
  }

  @Test
  void aDocumentWithoutTextHasNoParts() {
    assertEquals("", joined(Map.of()).text());
    assertEquals(List.of(), joined(Map.of()).parts());
  }
}
