package org.densehook.encode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.densehook.bundle.Pairing;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PairsTest {

  private static Pairing pairing(boolean cutsLongest) {
    return new Pairing(List.of(101L), List.of(102L), List.of(102L), 1, "", cutsLongest);
  }

  @ParameterizedTest
  @CsvSource({
    "3, 4, 3, 4", // there is room
    "3, 20, 3, 7", // the text alone is cut
    "20, 3, 7, 3", // the query alone
    "20, 30, 5, 5", // both, to half
    "30, 20, 5, 5",
    "0, 20, 0, 10",
  })
  void theLongerPartIsCutFirst(int query, int text, int keptOfQuery, int keptOfText) {
    Pairs.Kept expected = new Pairs.Kept(keptOfQuery, keptOfText);
    assertEquals(expected, Pairs.kept(pairing(true), 13, query, text));
  }

  @ParameterizedTest
  @CsvSource({"3, 20, 3, 7", "20, 3, 10, 0", "8, 8, 8, 2"})
  void orTheTextAlone(int query, int text, int keptOfQuery, int keptOfText) {
    Pairs.Kept expected = new Pairs.Kept(keptOfQuery, keptOfText);
    assertEquals(expected, Pairs.kept(pairing(false), 13, query, text));
  }

  @ParameterizedTest
  @CsvSource({"0, 3, query", "3, 0, text", "0, 0, query"})
  void aHalfWithoutATokenIsNamed(int query, int text, String half) {
    Tokens one = new Tokens(new long[query], 0);
    Tokens other = new Tokens(new long[text], 0);
    EncodeException refused =
        assertThrows(EncodeException.class, () -> Pairs.requireBoth(one, other));
    assertEquals("the " + half + " of a pair gives no token", refused.getMessage());
    assertEquals(EncodeException.Kind.TEXT, refused.kind());
  }

  @Test
  void aPairOfTokensIsOne() {
    Tokens one = new Tokens(new long[] {7}, 0);
    assertDoesNotThrow(() -> Pairs.requireBoth(one, one));
  }

  @Test
  void aPairHasItsSpecialTokensAndTheTypesOfBoth() {
    Tokens query = new Tokens(new long[] {7, 8}, 0);
    Tokens text = new Tokens(new long[] {9, 10, 11}, 2);
    Tokens pair = Pairs.paired(pairing(true), 7, query, text);
    assertArrayEquals(new long[] {101, 7, 8, 102, 9, 10, 102}, pair.ids());
    assertEquals(3, pair.lost());
    int[] types = new int[pair.length()];
    for (int i = 0; i < types.length; i++) {
      types[i] = pair.type(i);
    }
    assertArrayEquals(new int[] {0, 0, 0, 0, 1, 1, 1}, types);
  }
}
