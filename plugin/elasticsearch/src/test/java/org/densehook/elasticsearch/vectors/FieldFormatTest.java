package org.densehook.elasticsearch.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.service.KnownEncoder;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.xcontent.XContentType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an encoder gives is written into no field that cannot hold it, whoever states the field. */
final class FieldFormatTest {

  private static final KnownEncoder ENCODER = new KnownEncoder("e", "f", 2);

  private static FieldFormat of(String properties, String path) {
    String mapping = "{'properties':{" + properties + "}}";
    IndexVectors vectors =
        new IndexVectors(
            XContentHelper.convertToMap(
                XContentType.JSON.xContent(), mapping.replace('\'', '"'), true),
            false);
    return FieldFormat.of(ENCODER, vectors, path);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "'v':{'type':'dense_vector','dims':2} | v",
        "'v':{'type':'dense_vector','dims':2,'similarity':'dot_product'} | v",
        "'v':{'type':'dense_vector'} | v",
        "'w':{'type':'keyword'} | v",
        "'p':{'type':'nested','properties':{'v':{'type':'dense_vector'}}} | p.0.v",
        "'v':{'type':'keyword'} | _ingest._value.v",
      })
  void whatFitsOrIsNotKnownPasses(String properties, String path) {
    assertEquals(Kind.DENSE, of(properties, path).kind());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "'v':{'type':'keyword'} | v | is mapped as [keyword], and encoder [e] is of kind [dense],"
            + " which writes [dense_vector]; map it so, or name another encoder",
        "'v':{'type':'float'} | v | is mapped as [float], and encoder [e] is of kind [dense]",
        "'v':{'type':'sparse_vector'} | v | is mapped as [sparse_vector], and encoder [e]",
        "'v':{'type':'dense_vector','dims':3} | v | has [dims] [3], vectors of encoder [e] have"
            + " [2]",
        "'v':{'type':'dense_vector','element_type':'byte'} | v | has [element_type] [byte],"
            + " encoders",
        "'p':{'properties':{'v':{'type':'text'}}} | p.1.v | is mapped as [text], and encoder [e]",
      })
  void whatDoesNotFitIsRefusedInALine(String properties, String path, String said) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> of(properties, path)).getMessage();
    assertTrue(message.startsWith("field [" + path + "] " + said), message);
  }
}
