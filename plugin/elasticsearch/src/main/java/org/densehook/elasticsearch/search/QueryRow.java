package org.densehook.elasticsearch.search;

import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.densehook.encode.Content;
import org.elasticsearch.action.ActionListener;

/**
 * What an encoder gives for a query's text or image.
 *
 * @param query its text or image
 * @param encoder its name; null for the only one the node has
 * @param fingerprint the one the encoder must have, or null for any
 * @param kind what it must give
 * @param wants who asks, as {@code query [sparse]}
 */
record QueryRow(Content query, String encoder, String fingerprint, Kind kind, String wants) {

  /** An encoder of this node, and what it gave. */
  record Made(EncoderHandle by, float[] row) {}

  /**
   * Encodes the query on this node.
   *
   * @param stated whom the mappings name as the encoder, to be named where it fails; or null
   */
  void make(SearchServices services, FieldEncoder stated, ActionListener<Made> listener) {
    NodeEncoders encoders = services.encoders();
    EncoderHandle serving;
    try {
      // not when it is read: what is wrong then is said at the very bottom
      AskedContent.requireSome(query, wants);
      serving = encoders.require(encoder, kind);
      serving.require(kind, wants);
      requireFingerprint(serving);
    } catch (Exception e) {
      listener.onFailure(stated == null ? e : stated.named(e));
      return;
    }
    SearchScope search = SearchScope.of(services.threadContext());
    encoders.embedQuery(
        serving,
        query,
        search.timeLeft(),
        search.task(),
        listener.map(row -> new Made(serving, ofKind(serving, row))));
  }

  private float[] ofKind(EncoderHandle serving, float[] row) {
    return serving.row(serving.giving(kind), serving.kinds(query), row);
  }

  private void requireFingerprint(EncoderHandle serving) {
    if (fingerprint != null && !fingerprint.equals(serving.fingerprint())) {
      throw new IllegalArgumentException(
          "encoder ["
              + serving.name()
              + "] of this node has fingerprint "
              + serving.fingerprint()
              + ", the field needs "
              + fingerprint
              + "; put that bundle into config/densehook, or search another field");
    }
  }
}
