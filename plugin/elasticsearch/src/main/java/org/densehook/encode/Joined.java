package org.densehook.encode;

import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import org.densehook.bundle.Kind;
import org.densehook.bundle.Manifest;

/**
 * What one run gives of several kinds for a text, as one row: the rows of the kinds in the order in
 * which {@link Kind} names them, one behind the other. One alone may be of any length.
 */
final class Joined {

  private Joined() {}

  /** One row of those of several kinds, which are in their order. */
  static float[] of(Collection<float[]> rows) {
    float[] joined = new float[rows.stream().mapToInt(row -> row.length).sum()];
    int at = 0;
    for (float[] row : rows) {
      System.arraycopy(row, 0, joined, at, row.length);
      at += row.length;
    }
    return joined;
  }

  /**
   * The row of one kind.
   *
   * @param given the kinds whose rows are joined, in their order
   */
  static float[] row(Kind kind, Set<Kind> given, float[] joined, Manifest manifest) {
    int at = 0;
    int stated = given.stream().mapToInt(each -> length(each, manifest)).sum();
    for (Kind each : given) {
      int length = length(each, manifest);
      int end = at + (length == 0 ? joined.length - stated : length);
      if (each == kind) {
        return at == 0 && end == joined.length ? joined : Arrays.copyOfRange(joined, at, end);
      }
      at = end;
    }
    throw new IllegalArgumentException("no row of kind [" + kind + "] is among " + given);
  }

  private static int length(Kind kind, Manifest manifest) {
    return Output.BY_KIND.get(kind).length(manifest.ofKind(kind));
  }

  /** The rows of a text of some kinds, as one. */
  static float[] of(Set<Kind> wanted, Map<Kind, float[][]> rows, int text) {
    return of(wanted.stream().map(kind -> rows.get(kind)[text]).toList());
  }
}
