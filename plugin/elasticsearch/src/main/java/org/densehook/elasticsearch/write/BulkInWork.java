package org.densehook.elasticsearch.write;

import java.util.Map;
import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.bulk.BulkShardRequest;

/**
 * A bulk to one shard whose documents are getting their vectors.
 *
 * @param request its items, which are changed
 * @param updates those that were merged, by the positions of their items
 * @param held what the vectors take
 */
record BulkInWork(
    BulkServices services,
    BulkIndex index,
    BulkShardRequest request,
    Map<Integer, MergedUpdate> updates,
    HeldMemory held) {

  BulkItemRequest item(int position) {
    return request.items()[position];
  }

  /** Fails an item; the primary passes over it. */
  void fail(int position, Exception reason) {
    item(position).abort(index.name(), reason);
  }
}
