package org.densehook.elasticsearch.service;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Predicate;
import org.elasticsearch.ElasticsearchStatusException;
import org.elasticsearch.ResourceNotFoundException;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;
import org.elasticsearch.rest.RestStatus;

/** What the node knows of each bundle in its folder, and which encoder a request means. */
final class EncoderRegistry {

  private final String node;
  private final Map<String, Slot> slots = new ConcurrentSkipListMap<>();
  private volatile boolean closed; // set with slots locked, so that nothing is put in afterwards

  /**
   * What is known of a folder below config/densehook.
   *
   * @param manifest content of the encoder.json that was tried last; tells whether it is another
   * @param reason why that one was refused, or null
   * @param encoder what is in service, or null; the older one when a newer was refused
   */
  record Slot(boolean tried, String manifest, String reason, EncoderInService encoder) {

    static final Slot NEW = new Slot(false, null, null, null);

    EncoderStatus.State state() {
      if (encoder != null) {
        return EncoderStatus.State.READY;
      }
      return tried ? EncoderStatus.State.FAILED : EncoderStatus.State.LOADING;
    }

    /** Whether a manifest is the encoder's own; after a refusal it is only that of the refused. */
    boolean isInService(String manifest) {
      return encoder != null && reason == null && manifest.equals(this.manifest);
    }
  }

  EncoderRegistry(String node) {
    this.node = node;
  }

  Set<String> names() {
    return slots.keySet();
  }

  Slot get(String name) {
    return slots.getOrDefault(name, Slot.NEW);
  }

  /** Gives a bundle that is new a slot; false when the node stops. */
  boolean announce(String name) {
    return slots.containsKey(name) || put(name, Slot.NEW);
  }

  /** Puts a slot in, or gives false when the node stops. */
  boolean put(String name, Slot slot) {
    synchronized (slots) {
      if (closed) {
        return false;
      }
      slots.put(name, slot);
      return true;
    }
  }

  /** Takes a slot out; gives what was in it, or null. */
  Slot remove(String name) {
    return slots.remove(name);
  }

  /** Takes everything out of service, for good. */
  void close() {
    synchronized (slots) {
      closed = true;
      slots.values().stream().filter(slot -> slot.encoder != null).forEach(s -> s.encoder.retire());
      slots.clear();
    }
  }

  /** As {@link NodeEncoders#require}, of a name or of the only one that is {@code meant}. */
  EncoderInService require(String name, Predicate<EncoderHandle> meant) {
    return require(name == null ? theOnly(new TreeMap<>(slots), meant) : name);
  }

  private EncoderInService require(String name) {
    Map<String, Slot> now = new TreeMap<>(slots);
    Slot slot = now.get(name);
    if (slot == null && closed) {
      throw unavailable("node [" + node + "] is stopping");
    }
    if (slot == null) {
      throw new ResourceNotFoundException( // as for a model of Elasticsearch's own
          "encoder ["
              + name
              + "] is not on node ["
              + node
              + "]"
              + there(now)
              + "; put its bundle into config/densehook/"
              + name
              + " and POST /_densehook/encoders/_reload");
    }
    if (slot.encoder == null && !slot.tried) {
      // 429, not 503: it is the one status that clients of bulks send single documents again for
      throw new EsRejectedExecutionException(
          "encoder ["
              + name
              + "] is still loading on node ["
              + node
              + "]; try again in a few seconds");
    }
    if (slot.encoder == null) {
      throw unavailable(
          "encoder [" + name + "] was refused by node [" + node + "]: " + slot.reason);
    }
    return slot.encoder;
  }

  /**
   * The encoder a request means that names none; those that were refused, or give something else
   * than is {@code meant}, are not in the way, and those that are still loading not in that of one
   * that is ready.
   */
  private String theOnly(Map<String, Slot> slots, Predicate<EncoderHandle> meant) {
    List<String> ready = names(slots, EncoderStatus.State.READY);
    List<String> usable =
        ready.stream().filter(each -> meant.test(slots.get(each).encoder)).toList();
    if (usable.isEmpty()) {
      usable = names(slots, EncoderStatus.State.LOADING);
    }
    if (usable.isEmpty()) {
      usable = ready; // and be told what it gives
    }
    if (usable.size() == 1) {
      return usable.get(0);
    }
    if (usable.isEmpty() && slots.size() == 1) {
      return slots.keySet().iterator().next(); // and be told why it was refused
    }
    if (usable.isEmpty()) {
      throw new ResourceNotFoundException(
          "node ["
              + node
              + "] has no encoder in service; put a bundle into config/densehook/NAME and POST"
              + " /_densehook/encoders/_reload, or see GET /_densehook");
    }
    throw new IllegalArgumentException(
        "node [" + node + "] has several encoders, " + usable + "; name one as [encoder]");
  }

  private static List<String> names(Map<String, Slot> slots, EncoderStatus.State state) {
    return slots.keySet().stream().filter(name -> slots.get(name).state() == state).toList();
  }

  private static String there(Map<String, Slot> slots) {
    return slots.isEmpty() ? "" : ", which has " + slots.keySet();
  }

  private static ElasticsearchStatusException unavailable(String message) {
    return new ElasticsearchStatusException(message, RestStatus.SERVICE_UNAVAILABLE);
  }

  /**
   * The encoder that took the place of one.
   *
   * @throws EsRejectedExecutionException when its vectors are others: what the caller has found out
   *     about the encoder no longer holds, and a client that sends the document again starts anew
   */
  EncoderInService successor(EncoderHandle retired) {
    EncoderInService now = require(retired.name());
    if (now == retired || !now.fingerprint().equals(retired.fingerprint())) {
      throw new EsRejectedExecutionException(
          "encoder ["
              + retired.name()
              + "] was taken out of service on node ["
              + node
              + "]; try again");
    }
    return now;
  }

  /** What there is, as {@code GET /_densehook} shows it. */
  List<EncoderStatus> status() {
    List<EncoderStatus> statuses = new ArrayList<>();
    slots.forEach(
        (name, slot) ->
            statuses.add(
                new EncoderStatus(
                    name,
                    slot.state(),
                    slot.reason,
                    slot.encoder == null ? null : slot.encoder.status())));
    return statuses;
  }
}
