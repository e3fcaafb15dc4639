package org.densehook.elasticsearch.compat;

import org.elasticsearch.search.fetch.subphase.FetchSourceContext;

/** A document's source with its vectors: this version leaves none out. */
public final class WholeSource {

  private WholeSource() {}

  /** What is at the paths, or all where there are none given. */
  public static FetchSourceContext of(String[] paths) {
    return FetchSourceContext.of(true, paths, null);
  }
}
