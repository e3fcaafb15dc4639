package org.densehook.elasticsearch.vectors;

import java.util.Set;

/** The types of fields whose values are never text; of one not known here it is not assumed. */
public final class TextlessTypes {

  private static final Set<String> NAMES =
      Set.of(
          "aggregate_metric_double",
          "binary",
          "date_range",
          "dense_vector",
          "double_range",
          "exponential_histogram",
          "flattened",
          "float_range",
          "geo_point",
          "geo_shape",
          "histogram",
          "integer_range",
          "ip_range",
          "join",
          "long_range",
          "nested",
          "object",
          "passthrough",
          "percolator",
          "point",
          "rank_features",
          "rank_vectors",
          "shape",
          "sparse_vector",
          "tdigest");

  private TextlessTypes() {}

  /** Whether fields of a type hold no text. */
  public static boolean contains(String type) {
    return NAMES.contains(type);
  }
}
