package org.densehook.elasticsearch.compat;

import org.elasticsearch.cluster.metadata.IndexMetadata;

/** Vectors written in base64: this version reads none. */
public final class Base64Vectors {

  private Base64Vectors() {}

  /** Whether an index takes them. */
  public static boolean taken(IndexMetadata index) {
    return false;
  }
}
