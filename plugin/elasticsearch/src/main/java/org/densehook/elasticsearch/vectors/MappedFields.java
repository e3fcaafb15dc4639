package org.densehook.elasticsearch.vectors;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.densehook.elasticsearch.vectors.IndexVectors.MappedField;

/**
 * A mapping's fields by path, in the order of their paths. A cluster may have a thousand mappings
 * of a thousand fields each, most of them the same: so it is two arrays of what is shared.
 */
final class MappedFields extends AbstractMap<String, MappedField> {

  private final String[] paths;
  private final MappedField[] fields;

  /**
   * The same fields.
   *
   * @param sharedPath gives the one path for all that are equal
   * @param sharedField gives the one field for all that are equal
   */
  MappedFields(
      Map<String, MappedField> stated,
      UnaryOperator<String> sharedPath,
      UnaryOperator<MappedField> sharedField) {
    paths = stated.keySet().toArray(String[]::new);
    Arrays.sort(paths);
    fields = new MappedField[paths.length];
    for (int i = 0; i < paths.length; i++) {
      fields[i] = sharedField.apply(stated.get(paths[i]));
      paths[i] = sharedPath.apply(paths[i]);
    }
  }

  @Override
  public MappedField get(Object path) {
    int found = path instanceof String text ? Arrays.binarySearch(paths, text) : -1;
    return found < 0 ? null : fields[found];
  }

  @Override
  public boolean containsKey(Object path) {
    return get(path) != null;
  }

  @Override
  public int size() {
    return paths.length;
  }

  @Override
  public Set<Entry<String, MappedField>> entrySet() {
    return new AbstractSet<>() {
      @Override
      public int size() {
        return paths.length;
      }

      @Override
      public Iterator<Entry<String, MappedField>> iterator() {
        return new Iterator<>() {
          private int next;

          @Override
          public boolean hasNext() {
            return next < paths.length;
          }

          @Override
          public Entry<String, MappedField> next() {
            if (!hasNext()) {
              throw new NoSuchElementException();
            }
            Entry<String, MappedField> entry = Map.entry(paths[next], fields[next]);
            next++;
            return entry;
          }
        };
      }
    };
  }
}
