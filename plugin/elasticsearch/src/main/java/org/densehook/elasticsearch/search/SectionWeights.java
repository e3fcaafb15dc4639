package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.lucene.index.DocValues;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.SortedSetDocValues;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.common.io.stream.Writeable;

/**
 * By what the score of a chunk is multiplied.
 *
 * @param byName the weight of each section that has one of its own
 * @param other the weight of every other chunk
 */
record SectionWeights(Map<String, Float> byName, float other) implements Writeable {

  /** Every chunk as it is. */
  static final SectionWeights NONE = new SectionWeights(Map.of(), 1);

  /** The name of a chunk's section, beside its vector. */
  static final String FIELD = "section";

  SectionWeights {
    byName = new TreeMap<>(byName);
  }

  static SectionWeights read(StreamInput in) throws IOException {
    return new SectionWeights(in.readMap(StreamInput::readFloat), in.readFloat());
  }

  @Override
  public void writeTo(StreamOutput out) throws IOException {
    out.writeMap(byName, StreamOutput::writeFloat);
    out.writeFloat(other);
  }

  boolean isNone() {
    return byName.isEmpty() && other == 1;
  }

  /** The sections of a segment's chunks, to be asked for in their order. */
  Sections in(LeafReader segment, String path) throws IOException {
    return new Sections(
        byName.isEmpty() ? null : DocValues.getSortedSet(segment, path + "." + FIELD));
  }

  /** The weights of a segment's chunks. */
  final class Sections {

    private final SortedSetDocValues names;

    private Sections(SortedSetDocValues names) {
      this.names = names;
    }

    /** The name of a chunk's section; null for none, and where no section is weighed. */
    String of(int chunk) throws IOException {
      return names != null && names.advanceExact(chunk)
          ? names.lookupOrd(names.nextOrd()).utf8ToString()
          : null;
    }

    float weight(String section) {
      return Objects.requireNonNullElse(section == null ? null : byName.get(section), other);
    }
  }
}
