package org.densehook.elasticsearch.service;

import java.util.Iterator;
import org.densehook.bundle.Kind;
import org.densehook.encode.Content;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.tasks.CancellableTask;

/** The encoders of this node, as processors, filters, builders and queries use them. */
public interface NodeEncoders {

  /**
   * The encoder in service under this name.
   *
   * @param name an encoder's name, or null for the only one that gives something of a text by
   *     itself
   * @throws org.elasticsearch.ResourceNotFoundException when it is missing, with the names of those
   *     there are
   * @throws IllegalArgumentException when no name is given and there are several
   * @throws org.elasticsearch.common.util.concurrent.EsRejectedExecutionException while it loads
   * @throws org.elasticsearch.ElasticsearchStatusException when it was refused, with the reason
   */
  EncoderHandle require(String name);

  /**
   * The same, where one that gives this is meant.
   *
   * @param name an encoder's name, whatever that gives; or null for the only one that gives this
   */
  EncoderHandle require(String name, Kind wanted);

  /**
   * The vectors of documents' texts. They are taken out of the iterator only as there is room for
   * them, one at a time and in turn with those of the other requests in work: what waits is held by
   * its request, which Elasticsearch has admitted, and none is refused because others wait.
   *
   * <p>A text that the encoder cannot run fails alone. Texts whose encoder goes out of service on
   * the way go to the one in its place, or fail with EsRejectedExecutionException when there is
   * none of its fingerprint.
   *
   * @param request what the texts came in with, by identity: however many a request has, and in
   *     however many calls, each request has its turn
   * @param texts read by one thread at a time, on the pool {@link EncoderPools#READ}, in no
   *     caller's context; may be slow, and must not throw: what cannot be read is told to its
   *     listener, and the next is given. A listener is called on the pool generic, those of several
   *     texts at the same time perhaps, in no caller's context: restoring it is the caller's
   */
  void embedDocuments(EncoderHandle encoder, Object request, Iterator<DocumentText> texts);

  /**
   * The vector of a query's text or image.
   *
   * @param timeout after it the listener gets EsRejectedExecutionException, as after {@link
   *     EncoderSettings#QUERY_MAX_WAIT}, whichever is sooner; null where the search has none
   * @param task the search's; cancelled, the listener gets TaskCancelledException and the text
   *     leaves the queue unless another search waits for it; null where it is not known
   * @param listener gets float32 [dims], on a thread of Elasticsearch's, in the caller's thread
   *     context; or why the text could not be encoded; EsRejectedExecutionException when the queue
   *     is full
   */
  void embedQuery(
      EncoderHandle encoder,
      Content query,
      TimeValue timeout,
      CancellableTask task,
      ActionListener<float[]> listener);

  /** The vector of a query, which waits no longer than the node lets any. */
  default void embedQuery(EncoderHandle encoder, Content query, ActionListener<float[]> listener) {
    embedQuery(encoder, query, null, null, listener);
  }

  /**
   * The scores of documents' texts for a query, by an encoder of kind cross.
   *
   * @param timeout after it the listener gets those there are, as after {@link
   *     EncoderSettings#RERANK_MAX_WAIT}, whichever is sooner; null where the search has none
   * @param task the search's; cancelled, the listener gets TaskCancelledException; null where it is
   *     not known
   * @param listener gets the scores, on a thread of Elasticsearch's, in the caller's thread
   *     context; or why there are none; EsRejectedExecutionException when the queue is full
   */
  void scorePairs(
      EncoderHandle encoder,
      PairsToScore pairs,
      TimeValue timeout,
      CancellableTask task,
      ActionListener<PairScores> listener);

  /** How many documents a search may have reranked: {@link EncoderSettings#RERANK_MAX_WINDOW}. */
  int mostReranked();
}
