package org.densehook.elasticsearch.service;

import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.densehook.bundle.Kind;
import org.densehook.encode.Content;
import org.densehook.encode.EncodeException;
import org.densehook.encode.Feed;
import org.densehook.encode.Job;
import org.densehook.encode.Tokens;
import org.elasticsearch.ExceptionsHelper;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.collect.Iterators;

/** The texts of one bulk on their way to an encoder. */
final class DocumentFeed implements Feed {

  private static final Logger logger = LogManager.getLogger(DocumentFeed.class);

  private final EncoderInService encoder;
  private final Object request;
  private final Iterator<Text> texts;
  private final Consumer<Iterator<Text>> elsewhere;
  private Text last;

  /**
   * A text or an image, its own prompt or null, its parts, what is wanted of it, and who wants what
   * the encoder makes of it.
   */
  record Text(
      Content content,
      String prompt,
      List<int[]> spans,
      Set<Kind> kinds,
      ActionListener<EncodeAction.Encoded> listener) {

    static Text of(DocumentText document) {
      return new Text(
          document.content(),
          document.prompt(),
          document.spans(),
          document.kinds(),
          document.listener().map(EncodeAction.Encoded::row));
    }
  }

  /**
   * Nothing is read yet.
   *
   * @param request what they came in with
   * @param elsewhere gets the texts that the encoder, going out of service, does not take
   */
  DocumentFeed(
      EncoderInService encoder,
      Object request,
      Iterator<Text> texts,
      Consumer<Iterator<Text>> elsewhere) {
    this.encoder = encoder;
    this.request = request;
    this.texts = texts;
    this.elsewhere = elsewhere;
  }

  @Override
  public Object group() {
    return request;
  }

  @Override
  public Job next() throws EncodeException {
    while (hasNext()) {
      Text text = last;
      long started = System.nanoTime();
      try {
        Tokens tokens = encoder.read(text.content(), text.prompt(), text.spans(), text.kinds());
        return new Job(
            tokens,
            vector -> text.listener().onResponse(EncodeAction.Encoded.of(tokens, vector)),
            failure -> failed(text, failure),
            request,
            started);
      } catch (Throwable e) { // an Error of a native library must not end the node
        EncoderInService.dieOfExhaustedHeap(e);
        EncodeException failure = EncodeException.of(e);
        if (failure.kind() == EncodeException.Kind.RETIRED) {
          throw failure;
        }
        encoder.unreadable(() -> failed(text, failure));
      }
    }
    return null;
  }

  private boolean hasNext() {
    try {
      last = texts.hasNext() ? texts.next() : null;
    } catch (RuntimeException e) {
      last = null;
      logger.error("the texts of a bulk cannot be read on: its request will not be answered", e);
      ExceptionsHelper.maybeDieOnAnotherThread(e);
    }
    return last != null;
  }

  private void failed(Text text, EncodeException failure) {
    if (failure.kind() == EncodeException.Kind.RETIRED) {
      elsewhere.accept(List.of(text).iterator());
    } else {
      text.listener().onFailure(encoder.asStatus(failure));
    }
  }

  @Override
  public void retired(boolean lastTaken) {
    elsewhere.accept(
        lastTaken || last == null ? texts : Iterators.concat(Iterators.single(last), texts));
  }
}
