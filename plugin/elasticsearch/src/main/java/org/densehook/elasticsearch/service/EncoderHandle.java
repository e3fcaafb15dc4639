package org.densehook.elasticsearch.service;

import java.util.List;

/** An encoder in service on this node. */
public interface EncoderHandle {

  String name();

  String fingerprint();

  int dims();

  /** The text of a document: its non-empty inputs, joined as the manifest says. */
  String join(List<String> inputs);
}
