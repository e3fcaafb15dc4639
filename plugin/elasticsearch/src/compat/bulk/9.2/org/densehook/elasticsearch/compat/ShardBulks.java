package org.densehook.elasticsearch.compat;

import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.bulk.BulkShardRequest;
import org.elasticsearch.action.support.WriteRequest.RefreshPolicy;

/** The requests of one shard's bulk. */
public final class ShardBulks {

  private ShardBulks() {}

  /** Puts every document of a bulk into its own request, where this version always has it. */
  public static void inlineSources(BulkShardRequest bulk) {}

  /** A request for some of a bulk's items. */
  public static BulkShardRequest part(
      BulkShardRequest whole, RefreshPolicy refresh, BulkItemRequest[] items) {
    return new BulkShardRequest(
        whole.shardId(),
        whole.reshardSplitShardCountSummary(),
        refresh,
        items,
        whole.isSimulated());
  }
}
