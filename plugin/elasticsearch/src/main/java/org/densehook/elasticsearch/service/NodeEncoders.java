package org.densehook.elasticsearch.service;

import org.elasticsearch.action.ActionListener;

/** The encoders of this node, as processors, filters, builders and queries use them. */
public interface NodeEncoders {

  /**
   * The encoder in service under this name.
   *
   * @param name an encoder's name, or null for the only one there is
   * @throws org.elasticsearch.ElasticsearchStatusException when it is missing, still loading or
   *     failed, with the reason, and with the names of those there are
   */
  EncoderHandle require(String name);

  /**
   * The vector of a document's text, in the ingest lane.
   *
   * @param listener gets float32 [dims], on a thread of Elasticsearch's, in the caller's thread
   *     context; or why the text could not be encoded; EsRejectedExecutionException when the queue
   *     is full
   */
  void embedDocument(EncoderHandle encoder, String text, ActionListener<float[]> listener);

  /** The vector of a query's text, in the query lane; else as {@link #embedDocument}. */
  void embedQuery(EncoderHandle encoder, String text, ActionListener<float[]> listener);
}
