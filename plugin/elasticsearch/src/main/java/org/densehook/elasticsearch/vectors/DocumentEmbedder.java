package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.elasticsearch.ElasticsearchException;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.collect.Iterators;
import org.elasticsearch.rest.RestStatus;

/** The one way from a document to its vectors, whichever door it came in by. */
public final class DocumentEmbedder {

  private final NodeEncoders encoders;

  public DocumentEmbedder(NodeEncoders encoders) {
    this.encoders = encoders;
  }

  /** A document on its way, and what is done with it. */
  public interface Work {

    /** Its vectors, and what was read of it. */
    DocumentVectors vectors();

    /** The same part of the document that is being replaced, or null. */
    Map<String, Object> stored();

    /**
     * Changes the document, whose vectors are all there.
     *
     * @param changes values by path; null for a field that goes; empty when it is right as it is
     */
    void write(Map<String, Object> changes) throws Exception;

    /** Fails it: one of its vectors cannot be made, or it cannot be written. */
    void fail(Exception reason);
  }

  /**
   * The vector fields of an index, with their encoders.
   *
   * @param fills whether documents without a vector get one. Where they do not, a field whose
   *     encoder is not here is left alone
   * @throws ElasticsearchException when an encoder that is needed is not in service
   * @throws IllegalArgumentException when it is another than the field's
   */
  public List<FieldToEmbed> fields(IndexVectors vectors, String index, boolean fills) {
    List<FieldToEmbed> fields = new ArrayList<>();
    for (EmbeddedField field : vectors.fields().values()) {
      if (field.inputs().isEmpty()) {
        continue; // it says no text of which its vectors could be made
      }
      EncoderHandle encoder;
      try {
        encoder = encoders.require(field.encoder());
        field.require(encoder, index);
      } catch (ElasticsearchException | IllegalArgumentException e) {
        if (fills || isPassing(e)) {
          throw e;
        }
        continue;
      }
      List<String> dropped =
          field.text().paths().stream().filter(path -> !vectors.keepsInSource(path)).toList();
      fields.add(new FieldToEmbed(field, encoder, fills, true, dropped));
    }
    return fields;
  }

  /**
   * The fields of one document: those of its index, and those that were ordered with it. A vector
   * that is ordered is made, whatever the index says.
   *
   * @param vectors what the index's mapping says
   * @throws ElasticsearchException when an encoder that is ordered is not in service
   * @throws IllegalArgumentException when it is another than the field's
   */
  public List<FieldToEmbed> withOrdered(
      Collection<FieldToEmbed> fields,
      List<EmbedOrder> orders,
      IndexVectors vectors,
      String index) {
    Map<String, FieldToEmbed> all = new LinkedHashMap<>();
    fields.forEach(to -> all.put(to.field().name(), to));
    for (EmbedOrder order : orders) {
      FieldToEmbed known = all.get(order.field());
      all.put(order.field(), known == null ? ordered(order, vectors, index) : known.filling());
    }
    return List.copyOf(all.values());
  }

  private FieldToEmbed ordered(EmbedOrder order, IndexVectors vectors, String index) {
    EncoderHandle encoder = encoders.require(order.encoder());
    EmbeddedField stated = vectors.fields().get(order.field());
    if (stated != null) {
      stated.require(encoder, index);
    }
    boolean statesInputs = stated != null && !stated.inputs().isEmpty();
    return new FieldToEmbed(order.in(vectors, encoder), encoder, true, statesInputs, List.of());
  }

  private static boolean isPassing(Exception e) {
    return e instanceof ElasticsearchException failure
        && failure.status() == RestStatus.TOO_MANY_REQUESTS;
  }

  /**
   * Makes what documents need and changes them; each succeeds or fails alone.
   *
   * @param request what they came in with, which has its turn among others
   * @param reuses whether the vectors of unchanged texts are taken from stored documents
   * @param done called once, when all are written or failed, on any thread
   */
  public void embed(List<? extends Work> documents, Object request, boolean reuses, Runnable done) {
    AtomicInteger open = new AtomicInteger(documents.size() + 1);
    Map<EncoderHandle, List<WantedVectors>> wanted = new LinkedHashMap<>();
    for (Work document : documents) {
      Runnable finished =
          () -> {
            finish(document);
            if (open.decrementAndGet() == 0) {
              done.run();
            }
          };
      List<DocumentVectors.Text> needed;
      try {
        needed = document.vectors().decide(document.stored(), reuses);
      } catch (Exception e) {
        document.vectors().failed(e);
        needed = List.of();
      }
      AtomicInteger missing = new AtomicInteger(needed.size());
      List<WantedVectors.Want> wants = new ArrayList<>();
      for (DocumentVectors.Text text : needed) {
        ActionListener<Embedding> one =
            ActionListener.runAfter(
                ActionListener.wrap(
                    made -> document.vectors().made(text, made), document.vectors()::failed),
                () -> {
                  if (missing.decrementAndGet() == 0) {
                    finished.run();
                  }
                });
        wants.add(new WantedVectors.Want(text, one));
      }
      for (WantedVectors each : WantedVectors.of(wants)) {
        wanted.computeIfAbsent(each.encoder(), encoder -> new ArrayList<>()).add(each);
      }
      if (needed.isEmpty()) {
        finished.run();
      }
    }
    wanted.forEach(
        (encoder, of) ->
            encoders.embedDocuments(
                encoder, request, Iterators.flatMap(of.iterator(), WantedVectors::texts)));
    if (open.decrementAndGet() == 0) {
      done.run();
    }
  }

  private static void finish(Work document) {
    Exception failure = document.vectors().failure();
    if (failure == null) {
      try {
        document.write(document.vectors().changes());
      } catch (Exception e) {
        failure = e;
      }
    }
    if (failure != null) {
      document.fail(failure);
    }
  }
}
