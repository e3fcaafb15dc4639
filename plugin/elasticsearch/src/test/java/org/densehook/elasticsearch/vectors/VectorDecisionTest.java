package org.densehook.elasticsearch.vectors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.densehook.chunk.LongText;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.service.KnownEncoder;
import org.densehook.elasticsearch.vectors.VectorDecision.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VectorDecisionTest {

  private static final String ENCODER = "sha256:e";
  private static final List<Double> MADE = List.of(0.6, 0.8);
  private static final List<Double> CLIENTS = List.of(1.0, 0.0);

  private static final EncoderHandle HANDLE = new KnownEncoder("e", ENCODER, 2);

  private static FieldToEmbed field(boolean fills, String... dropped) {
    return new FieldToEmbed(
        new EmbeddedField("v", List.of("t", "b"), "e", ENCODER, false),
        HANDLE,
        fills,
        true,
        List.of(dropped));
  }

  private static Map<String, Object> document(String title, Object vector, Object note) {
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("t", title);
    document.put("v", vector);
    document.put("densehook", note == null ? null : new HashMap<>(Map.of("v", note)));
    return document;
  }

  private static Map<String, Object> made(String text) {
    return new Note(ENCODER, Note.hash(text)).asMap();
  }

  private static Map<String, Object> clients(String text) {
    return new Note(null, Note.hash(text)).asMap();
  }

  private static VectorDecision decide(Map<String, Object> document, Map<String, Object> stored) {
    return VectorDecision.of(field(true), document, stored, true);
  }

  @Test
  void aTextWithoutAVectorIsEncoded() {
    VectorDecision decision = decide(document("cats", null, null), null);
    assertEquals(Kind.MAKE, decision.kind());
    assertEquals(new PromptedText(LongText.of("cats"), null, Modality.TEXT), decision.text());
    assertEquals(made("cats"), decision.note().asMap());
  }

  @Test
  void aVectorWhoseNoteFitsStays() {
    assertEquals(Kind.LEAVE, decide(document("cats", MADE, made("cats")), null).kind());
    assertEquals(Kind.LEAVE, decide(document("cats", CLIENTS, clients("cats")), null).kind());
  }

  @Test
  void aVectorOfAnotherTextOrEncoderIsMadeAnew() {
    assertEquals(Kind.MAKE, decide(document("dogs", MADE, made("cats")), null).kind());
    assertEquals(Kind.MAKE, decide(document("dogs", CLIENTS, clients("cats")), null).kind());
    Map<String, Object> other = new Note("sha256:o", Note.hash("cats")).asMap();
    assertEquals(Kind.MAKE, decide(document("cats", MADE, other), null).kind());
  }

  @Test
  void aVectorThatAClientBringsIsNotedWithItsText() {
    VectorDecision decision = decide(document("cats", CLIENTS, null), null);
    assertEquals(Kind.NOTE, decision.kind());
    assertEquals(clients("cats"), decision.note().asMap());
    decision = decide(document("cats", CLIENTS, null), document("cats", MADE, made("cats")));
    assertEquals(clients("cats"), decision.note().asMap());
  }

  @Test
  void aVectorThatCameBackWithoutItsNoteIsTheStoredOne() {
    Map<String, Object> stored = document("cats", MADE, made("cats"));
    List<Double> rounded = List.of(0.60001, 0.79999);
    assertEquals(made("cats"), decide(document("cats", rounded, null), stored).note().asMap());
    assertEquals(Kind.MAKE, decide(document("dogs", rounded, null), stored).kind());
    Map<String, Object> unnoted = document("cats", MADE, null); // _source drops the notes
    assertEquals(Kind.NOTE, decide(document("cats", MADE, null), unnoted).kind());
    assertEquals(Kind.MAKE, decide(document("dogs", MADE, null), unnoted).kind());
  }

  @Test
  void aNoteLeftOverFromTheVectorBeforeIsNotTheNewOnes() {
    Map<String, Object> stored = document("cats", MADE, made("cats"));
    VectorDecision decision = decide(document("dogs", CLIENTS, made("cats")), stored);
    assertEquals(clients("dogs"), decision.note().asMap());
    assertTrue(
        VectorDecision.needsStored(
            field(true), document("cats", CLIENTS, made("cats")), true, true));
  }

  @Test
  void theStoredVectorOfTheSameTextIsTaken() {
    Map<String, Object> stored = document("cats", MADE, made("cats"));
    VectorDecision decision = decide(document("cats", null, null), stored);
    assertEquals(Kind.TAKE, decision.kind());
    assertArrayEquals(new float[] {0.6f, 0.8f}, (float[]) decision.embedding().values()[0]);
    assertEquals(Kind.MAKE, decide(document("dogs", null, null), stored).kind());
    assertEquals(
        Kind.MAKE,
        VectorDecision.of(field(true), document("cats", null, null), stored, false).kind());
  }

  @Test
  void aClientsVectorIsTakenOnlyByADocumentThatSaysItHadIt() {
    Map<String, Object> stored = document("cats", CLIENTS, clients("cats"));
    assertEquals(Kind.MAKE, decide(document("cats", null, null), stored).kind());
    assertEquals(Kind.TAKE, decide(document("cats", null, clients("cats")), stored).kind());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "\n\t", "\u00a0", "\u200b\ufeff", "\u2028", "\u3000"})
  void whiteSpaceIsNoText(String blank) {
    VectorDecision none = decide(document(blank, null, null), null);
    assertEquals(Kind.NONE, none.kind());
    assertEquals(made(""), none.note().asMap());
    assertEquals(Kind.LEAVE, decide(document(blank, null, made("")), null).kind());
    assertEquals(Kind.NONE, decide(document(blank, MADE, made("cats")), null).kind());
    VectorDecision own = decide(document(blank, CLIENTS, null), null); // of a picture, say
    assertEquals(clients(""), own.note().asMap());
  }

  @Test
  void nothingGoesBecauseAnInputCannotBeRead() {
    FieldToEmbed to = field(true, "b");
    assertEquals(
        Kind.LEAVE, VectorDecision.of(to, document(null, MADE, made("cats")), null, true).kind());
  }

  @Test
  void withoutTheSettingOnlyVectorsThatAreNotedAreLookedAfter() {
    FieldToEmbed to = field(false);
    assertEquals(
        Kind.LEAVE, VectorDecision.of(to, document("cats", null, null), null, true).kind());
    assertEquals(
        Kind.LEAVE, VectorDecision.of(to, document("cats", CLIENTS, null), null, true).kind());
    assertEquals(
        Kind.MAKE, VectorDecision.of(to, document("dogs", MADE, made("cats")), null, true).kind());
    assertFalse(VectorDecision.needsStored(to, document("cats", CLIENTS, null), true, false));
  }

  @Test
  void aClientsVectorInThePlaceOfOneThatWasLookedAfterIsLookedAfterToo() {
    FieldToEmbed to = field(false);
    Map<String, Object> disowned = document("cats", CLIENTS, null);
    Map<String, Object> nothing = new HashMap<>();
    nothing.put("v", null);
    disowned.put("densehook", nothing);
    assertTrue(VectorDecision.needsStored(to, disowned, true, false));
    Map<String, Object> stored = document("cats", MADE, made("cats"));
    VectorDecision decision = VectorDecision.of(to, disowned, stored, true);
    assertEquals(clients("cats"), decision.note().asMap());
    assertEquals(
        Kind.LEAVE, VectorDecision.of(to, disowned, document("cats", MADE, null), true).kind());
  }

  @Test
  void whatCannotBeReadAsANoteIsNone() {
    for (Object odd : List.of("text", 3, List.of(), Map.of(), Map.of("text", 1))) {
      assertNull(Note.of(document("cats", MADE, odd), "v"));
    }
    assertNull(Note.of(Map.of("densehook", "text"), "v"));
  }

  @Test
  void hashesAreThoseOfThePythonPackage() {
    // python: hashlib.sha256("…".encode()).hexdigest()[:32]
    assertEquals("d936608baaacc6b762c14b0c356026fb", Note.hash("cats"));
    assertEquals(Note.hash("a\ufffdb"), Note.hash("a\ud800b"));
    assertEquals(Note.hash("\ud83d\ude00"), Note.hash(new String(Character.toChars(0x1F600))));
  }
}
