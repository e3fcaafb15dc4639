package org.densehook.encode;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.densehook.bundle.BundleException;
import org.densehook.bundle.Sparse;
import org.densehook.bundle.Vocabulary;

/** What the tokens of a query weigh where no graph says it: the table of idf.json, by token id. */
final class QueryTable {

  private final Map<Integer, Float> weights;
  private final int terms;

  private QueryTable(Map<Integer, Float> weights, int terms) {
    this.weights = weights;
    this.terms = terms;
  }

  /**
   * Reads a bundle's table.
   *
   * @param terms how many a row has
   * @throws BundleException when there is none
   */
  static QueryTable read(Path file, Vocabulary vocabulary, int terms)
      throws BundleException, IOException {
    Map<Integer, Float> weights = new HashMap<>();
    try {
      JsonObject stated = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
      for (Map.Entry<String, JsonElement> each : stated.entrySet()) {
        Integer id = vocabulary.id(each.getKey());
        float weight = each.getValue().getAsFloat();
        if (!(weight >= 0 && weight < Float.POSITIVE_INFINITY)) {
          throw new BundleException(
              Sparse.IDF + " has a weight that is no finite number from 0 on");
        }
        if (id != null && weight > 0) {
          weights.put(id, weight);
        }
      }
    } catch (JsonParseException
        | IllegalStateException
        | NumberFormatException
        | UnsupportedOperationException e) {
      throw new BundleException(Sparse.IDF + " is no table of weights by token");
    }
    return new QueryTable(weights, terms);
  }

  /** The row of a query: each of its tokens once, the largest weights first. */
  float[] row(long[] ids) {
    List<Integer> largest =
        Arrays.stream(ids)
            .distinct()
            .sorted()
            .mapToObj(id -> (int) id)
            .filter(weights::containsKey)
            .sorted(Comparator.comparing((Integer id) -> -weights.get(id)))
            .limit(terms)
            .collect(Collectors.toList());
    float[] row = new float[2 * terms];
    for (int i = 0; i < largest.size(); i++) {
      row[i] = largest.get(i);
      row[terms + i] = weights.get(largest.get(i));
    }
    return row;
  }
}
