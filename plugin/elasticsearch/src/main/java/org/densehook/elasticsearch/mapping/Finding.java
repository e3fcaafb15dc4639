package org.densehook.elasticsearch.mapping;

/**
 * What is wrong with a mapping's vectors.
 *
 * @param kind what is done about it
 * @param message one line: which key, which value, what to do
 */
record Finding(Kind kind, String message) {

  enum Kind {
    /** The mapping is refused. */
    FAULT,
    /** It cannot be told yet: the request may be sent again. */
    LATER,
    /** The answer says so, and the mapping is put. */
    WARNING
  }

  static Finding fault(String message) {
    return new Finding(Kind.FAULT, message);
  }
}
