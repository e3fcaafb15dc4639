package org.densehook.elasticsearch.compat;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.bulk.BulkShardBatch;
import org.elasticsearch.action.bulk.BulkShardRequest;
import org.elasticsearch.action.support.WriteRequest.RefreshPolicy;

/** The requests of one shard's bulk. */
public final class ShardBulks {

  private ShardBulks() {}

  /** Puts every document of a bulk into its own request. */
  public static void inlineSources(BulkShardRequest bulk) {
    try {
      BulkShardBatch.ensureInlineSources(bulk);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A request for some of a bulk's items. */
  public static BulkShardRequest part(
      BulkShardRequest whole, RefreshPolicy refresh, BulkItemRequest[] items) {
    return new BulkShardRequest(
        whole.shardId(), whole.splitShardCountSummary(), refresh, items, whole.isSimulated());
  }
}
