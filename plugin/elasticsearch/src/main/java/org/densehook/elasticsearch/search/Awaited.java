package org.densehook.elasticsearch.search;

import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.apache.lucene.util.SetOnce;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.index.query.QueryRewriteContext;

/** What the rewrite of a query or a retriever waits for. */
final class Awaited {

  private Awaited() {}

  /**
   * Has a rewrite wait for a value, after which it goes on.
   *
   * @return the value; null until it is there
   */
  static <T> Supplier<T> by(
      QueryRewriteContext context, BiConsumer<Client, ActionListener<T>> asked) {
    SetOnce<T> value = new SetOnce<>();
    context.registerAsyncAction(
        (client, listener) ->
            asked.accept(
                client,
                listener.map(
                    given -> {
                      value.set(given);
                      return null;
                    })));
    return value::get;
  }
}
