package org.densehook.elasticsearch.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InputTextTest {

  // the right column is what Python's json.dumps gives
  @ParameterizedTest
  @CsvSource({
    "0.0, 0.0",
    "-0.0, -0.0",
    "1.5, 1.5",
    "100000.0, 100000.0",
    "1e7, 10000000.0",
    "1.25e8, 125000000.0",
    "1e15, 1000000000000000.0",
    "1e16, 1e+16",
    "-1.5e300, -1.5e+300",
    "0.001, 0.001",
    "0.0001, 0.0001",
    "0.00012, 0.00012",
    "0.00001, 1e-05",
    "1.5e-7, 1.5e-07",
    "5e-324, 5e-324",
    "NaN, NaN",
    "-Infinity, -Infinity"
  })
  void aNumberIsSpelledAsPythonSpellsIt(double number, String text) {
    assertEquals(List.of(text), InputText.of("field", number));
  }

  @Test
  void wholeNumbersBooleansAndListsAreText() {
    Object value =
        Arrays.asList("a", null, 7, List.of(true, new BigInteger("12345678901234567890")));
    assertEquals(List.of("a", "7", "true", "12345678901234567890"), InputText.of("field", value));
  }

  @Test
  void anObjectIsRefusedByItsField() {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class, () -> InputText.of("field", List.of(Map.of())));
    assertEquals("input field [field] is an object, not text", refused.getMessage());
  }

  @Test
  void ofSeveralImagesInAnInputNoneIsMeant() {
    Object one = Arrays.asList("", "aGk=", null);
    assertEquals(List.of("aGk="), Modality.IMAGE.texts("photo", one));
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> Modality.IMAGE.texts("photo", List.of("aGk=", "aGk=")));
    assertEquals("input field [photo] holds 2 images; give one", refused.getMessage());
  }
}
