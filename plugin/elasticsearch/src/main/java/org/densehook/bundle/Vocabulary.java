package org.densehook.bundle;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The tokens of a tokenizer.json by their ids, those that were added to its model among them. */
public final class Vocabulary {

  private final String[] tokens;
  private final Map<String, Integer> ids;

  private Vocabulary(Map<String, Integer> ids) {
    this.ids = ids;
    tokens = new String[ids.isEmpty() ? 0 : Collections.max(ids.values()) + 1];
    ids.forEach((token, id) -> tokens[id] = token);
  }

  /**
   * Reads Hugging Face's tokenizer.json.
   *
   * @throws BundleException when it has no vocabulary
   */
  static Vocabulary read(Path tokenizer) throws BundleException, IOException {
    Map<String, Integer> ids = new HashMap<>();
    try {
      JsonObject content = JsonParser.parseString(Files.readString(tokenizer)).getAsJsonObject();
      JsonElement vocabulary = content.getAsJsonObject("model").get("vocab");
      if (vocabulary instanceof JsonArray pairs) { // of tokens and their scores, by id
        for (int id = 0; id < pairs.size(); id++) {
          ids.put(pairs.get(id).getAsJsonArray().get(0).getAsString(), id);
        }
      } else {
        vocabulary.getAsJsonObject().asMap().forEach((token, id) -> ids.put(token, id.getAsInt()));
      }
      if (content.get("added_tokens") instanceof JsonArray added) {
        for (JsonElement each : added) {
          JsonObject token = each.getAsJsonObject();
          ids.put(token.get("content").getAsString(), token.get("id").getAsInt());
        }
      }
      return new Vocabulary(ids);
    } catch (JsonParseException
        | IllegalStateException
        | NullPointerException
        | ClassCastException
        | UnsupportedOperationException
        | NumberFormatException
        | IndexOutOfBoundsException e) { // whatever Gson makes of what is not there
      throw new BundleException(
          "tokenizer.json has no vocabulary of tokens and ids; export the bundle again");
    }
  }

  /** The token of an id; null where there is none. */
  public String token(int id) {
    return id < 0 || id >= tokens.length ? null : tokens[id];
  }

  /** The id of a token; null where there is none. */
  public Integer id(String token) {
    return ids.get(token);
  }

  /**
   * Tokens and their weights as a row has them: ids, then weights.
   *
   * @throws BundleException for one that is no token
   */
  float[] row(List<String> named, float[] weights, String where) throws BundleException {
    float[] row = new float[2 * weights.length];
    for (int i = 0; i < weights.length; i++) {
      Integer id = ids.get(named.get(i));
      if (id == null) {
        throw new BundleException(
            where
                + " has a weight of ["
                + named.get(i)
                + "], which is no token of tokenizer.json; export the bundle again");
      }
      row[i] = id;
      row[weights.length + i] = weights[i];
    }
    return row;
  }
}
