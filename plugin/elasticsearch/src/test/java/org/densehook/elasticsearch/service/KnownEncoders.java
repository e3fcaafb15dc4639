package org.densehook.elasticsearch.service;

import java.util.Iterator;
import java.util.List;
import org.densehook.bundle.Kind;
import org.densehook.encode.Content;
import org.elasticsearch.ResourceNotFoundException;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.tasks.CancellableTask;

/** The encoders of a node that encodes nothing. */
public record KnownEncoders(List<KnownEncoder> inService) implements NodeEncoders {

  @Override
  public EncoderHandle require(String name) {
    return inService.stream()
        .filter(each -> each.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new ResourceNotFoundException("encoder [" + name + "] is not here"));
  }

  @Override
  public EncoderHandle require(String name, Kind wanted) {
    return require(name);
  }

  @Override
  public void embedDocuments(EncoderHandle encoder, Object request, Iterator<DocumentText> texts) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void embedQuery(
      EncoderHandle encoder,
      Content query,
      TimeValue timeout,
      CancellableTask task,
      ActionListener<float[]> listener) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void scorePairs(
      EncoderHandle encoder,
      PairsToScore pairs,
      TimeValue timeout,
      CancellableTask task,
      ActionListener<PairScores> listener) {
    throw new UnsupportedOperationException();
  }

  @Override
  public int mostReranked() {
    return 0;
  }
}
