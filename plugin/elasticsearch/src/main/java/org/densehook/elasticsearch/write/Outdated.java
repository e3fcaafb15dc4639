package org.densehook.elasticsearch.write;

import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.DocWriteRequest.OpType;
import org.elasticsearch.action.support.ContextPreservingActionListener;
import org.elasticsearch.common.util.concurrent.ThreadContext;

/**
 * Tells, from where an update begins to where its result is indexed, that vectors in that result
 * are those of an earlier text. Nothing in the result itself could tell them from a client's.
 *
 * <p>It is a header of the thread context: those go along to the node of the primary, and into what
 * an action calls.
 */
public final class Outdated {

  private static final String HEADER = "_densehook.outdated";

  // a merged document, which is indexed, but not an upsert, which is created as the client sent it
  private static final String MERGED = "merged";
  private static final String ALL = "all";

  private Outdated() {}

  /** Calls an action whose merged document has outdated vectors in these fields. */
  static <T> void merged(
      ThreadContext context,
      Collection<EmbeddedField> fields,
      ActionListener<T> listener,
      Consumer<ActionListener<T>> action) {
    within(context, fields.stream().map(Outdated::header).toList(), MERGED, listener, action);
  }

  /** Calls an action whose merged document may have outdated vectors in any field. */
  static <T> void merged(
      ThreadContext context, ActionListener<T> listener, Consumer<ActionListener<T>> action) {
    within(context, List.of(HEADER), MERGED, listener, action);
  }

  /** Calls an action all of whose documents may have outdated vectors in any field. */
  static <T> void all(
      ThreadContext context, ActionListener<T> listener, Consumer<ActionListener<T>> action) {
    within(context, List.of(HEADER), ALL, listener, action);
  }

  private static <T> void within(
      ThreadContext context,
      Collection<String> headers,
      String value,
      ActionListener<T> listener,
      Consumer<ActionListener<T>> action) {
    // without this the caller's later actions would carry the headers on
    ActionListener<T> outside =
        ContextPreservingActionListener.wrapPreservingContext(listener, context);
    ThreadContext.StoredContext before = context.newStoredContext();
    try {
      for (String header : headers) {
        if (context.getHeader(header) == null) {
          context.putHeader(header, value);
        }
      }
      action.accept(outside);
    } finally {
      before.restore();
    }
  }

  /** Whether the vector of this field is outdated in a document that is being written. */
  static boolean is(ThreadContext context, EmbeddedField field, OpType opType) {
    return applies(context.getHeader(HEADER), opType)
        || applies(context.getHeader(header(field)), opType);
  }

  /**
   * Whether a field gets its vector when the document has passed its pipelines: one that a pipeline
   * makes of the same document would be thrown away.
   */
  public static boolean isMadeLater(ThreadContext context, String field) {
    return context.getHeader(HEADER + "." + field) != null;
  }

  private static boolean applies(String value, OpType opType) {
    return ALL.equals(value) || MERGED.equals(value) && opType == OpType.INDEX;
  }

  private static String header(EmbeddedField field) {
    return HEADER + "." + field.name();
  }
}
