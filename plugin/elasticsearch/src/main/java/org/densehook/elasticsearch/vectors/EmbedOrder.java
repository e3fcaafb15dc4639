package org.densehook.elasticsearch.vectors;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.densehook.chunk.ChunkRule;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.elasticsearch.common.bytes.BytesReference;

/**
 * A vector that is to be made when the document is whole. A pipeline sees of an update in a bulk
 * the partial document alone, and not the index it goes to; so it leaves this where the vector's
 * note will be, and it is carried out when the update has been merged.
 *
 * @param field path of the vector
 * @param inputs names of its inputs
 * @param template what their text is made by, or null
 * @param prompts those that a field chooses among, or null
 * @param encoder name of its encoder, or null for the only one
 * @param modality what the inputs hold
 */
public record EmbedOrder(
    String field,
    List<String> inputs,
    TextTemplate template,
    DocumentPrompts prompts,
    String encoder,
    Modality modality) {

  private static final String INPUT = "input";
  private static final String TEMPLATE = "template";
  private static final String PROMPT = "prompt";
  private static final String ENCODER = "encoder";
  private static final byte[] KEY = IndexVectors.NOTES.getBytes(StandardCharsets.US_ASCII);

  /** The reserved object of a partial document, with this order in it. */
  public Map<String, Object> placedIn(Object notes) {
    Map<String, Object> placed = new LinkedHashMap<>();
    if (notes instanceof Map<?, ?> stated) {
      stated.forEach((key, note) -> placed.put(key.toString(), note));
    }
    Map<String, Object> order = new HashMap<>();
    order.put(INPUT, inputs);
    if (template != null) {
      order.put(TEMPLATE, template.stated());
    }
    if (prompts != null) {
      order.put(PROMPT, prompts.asMap());
    }
    if (encoder != null) {
      order.put(ENCODER, encoder);
    }
    if (modality != Modality.TEXT) {
      order.put(Modality.KEY, modality.toString());
    }
    placed.put(field, order);
    return placed;
  }

  /**
   * The field, its text as it is ordered, and what else the mapping states of it.
   *
   * @param mapping of the index that the document goes to
   * @param by the encoder that makes its vectors
   * @throws IllegalArgumentException for an encoder whose outputs are written into no field
   */
  public EmbeddedField in(IndexVectors mapping, EncoderHandle by) {
    EmbeddedField stated = mapping.fields().get(field);
    ChunkRule chunk = stated == null ? null : stated.chunk();
    return new EmbeddedField(
        field,
        mapping.text(inputs, template, prompts, chunk, modality),
        by.name(),
        by.fingerprint(),
        FieldFormat.of(by, mapping, field),
        stated != null && stated.base64(),
        chunk,
        null);
  }

  /** Takes the orders out of a document. */
  static List<EmbedOrder> takenOutOf(Map<String, Object> document) {
    List<EmbedOrder> orders = new ArrayList<>();
    if (!(document.get(IndexVectors.NOTES) instanceof Map<?, ?> notes)) {
      return orders;
    }
    Map<String, Object> rest = new LinkedHashMap<>();
    notes.forEach(
        (field, entry) -> {
          if (entry instanceof Map<?, ?> order && order.get(INPUT) instanceof List<?> inputs) {
            orders.add(of(field.toString(), order, inputs));
          } else {
            rest.put(field.toString(), entry);
          }
        });
    if (rest.isEmpty()) {
      document.remove(IndexVectors.NOTES);
    } else {
      document.put(IndexVectors.NOTES, rest);
    }
    return orders;
  }

  private static EmbedOrder of(String field, Map<?, ?> order, List<?> inputs) {
    List<String> names = inputs.stream().map(Object::toString).toList();
    Object template = order.get(TEMPLATE);
    Object prompts = order.get(PROMPT);
    return new EmbedOrder(
        field,
        names,
        template == null ? null : TextTemplate.parse(template, names),
        prompts == null ? null : DocumentPrompts.parse(prompts),
        order.get(ENCODER) instanceof String encoder ? encoder : null,
        Modality.of(order));
  }

  /** Whether a document may hold one: a look at its bytes, for each update of every index. */
  public static boolean maybeIn(BytesReference source) {
    if (source == null) {
      return false;
    }
    for (int at = source.indexOf(KEY[0], 0); at >= 0; at = source.indexOf(KEY[0], at + 1)) {
      if (at + KEY.length > source.length()) {
        return false;
      }
      int matched = 1;
      while (matched < KEY.length && source.get(at + matched) == KEY[matched]) {
        matched++;
      }
      if (matched == KEY.length) {
        return true;
      }
    }
    return false;
  }
}
