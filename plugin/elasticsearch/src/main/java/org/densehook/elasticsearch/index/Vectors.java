package org.densehook.elasticsearch.index;

import java.util.ArrayList;
import java.util.List;

/** Vectors as documents hold them. */
public final class Vectors {

  private Vectors() {}

  /** A list, since Elasticsearch can copy no float[] of a document. */
  public static List<Float> toList(float[] vector) {
    List<Float> list = new ArrayList<>(vector.length);
    for (float value : vector) {
      list.add(value);
    }
    return list;
  }
}
