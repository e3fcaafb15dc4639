package org.densehook.elasticsearch.failures;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.bulk.FailureStoreDocumentConverter;
import org.elasticsearch.action.index.IndexRequest;
import org.elasticsearch.common.bytes.BytesArray;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.xcontent.XContentType;
import org.junit.jupiter.api.Test;

class RejectionFilterTest {

  private static final String FULL = "the document queue of encoder [e] is full";

  /** A failed document as Elasticsearch stores it. */
  private static IndexRequest stored(Exception failure) throws IOException {
    IndexRequest document =
        new IndexRequest("stream").source("{\"error\": \"a field of its own\"}", XContentType.JSON);
    return new FailureStoreDocumentConverter().transformFailedRequest(document, failure, "stream");
  }

  private static String rejection(String error) {
    return RejectionFilter.rejection(new BytesArray(error.replace('\'', '"')));
  }

  @Test
  void aRejectionByTheIndexSettingIsKnownByWhatItSays() throws IOException {
    IndexRequest stored = stored(new EsRejectedExecutionException(FULL));
    assertEquals(FULL, RejectionFilter.rejection(stored.source()));
  }

  @Test
  void aRejectionByTheProcessorIsKnown() {
    for (String type : new String[] {"es_rejected_execution", "circuit_breaking"}) {
      assertEquals(
          "later",
          rejection(
              "{'document':{'source':{'text':'a'}},'error':{'type':'"
                  + type
                  + "_exception','message':'later','processor_type':'densehook'}}"));
    }
  }

  @Test
  void otherFailuresAndOthersRejectionsAreTheFailureStores() throws IOException {
    assertNull(
        RejectionFilter.rejection(stored(new EsRejectedExecutionException("queue")).source()));
    assertNull(
        RejectionFilter.rejection(stored(new IllegalArgumentException("encoder [e]")).source()));
    assertNull(
        rejection(
            "{'error':{'type':'es_rejected_execution_exception','message':'later',"
                + "'processor_type':'enrich'}}"));
    assertNull(
        rejection(
            "{'error':{'type':'status_exception','message':'refused',"
                + "'processor_type':'densehook'}}"));
    assertNull(rejection("{'error':'x'}"));
    assertNull(rejection("{}"));
  }

  @Test
  void whatIsRefusedOnItsWayIsAnswered429() throws IOException {
    IndexRequest rejected = stored(new EsRejectedExecutionException(FULL));
    assertTrue(rejected.isWriteToFailureStore());
    BulkItemRequest item = new BulkItemRequest(3, rejected);
    RejectionFilter.refuse(item, rejected, "fs");
    assertEquals(RestStatus.TOO_MANY_REQUESTS, item.getPrimaryResponse().getFailure().getStatus());
    assertEquals(FULL, item.getPrimaryResponse().getFailure().getCause().getMessage());
    IndexRequest failed = stored(new IllegalArgumentException("no text"));
    BulkItemRequest other = new BulkItemRequest(4, failed);
    RejectionFilter.refuse(other, failed, "fs");
    assertNull(other.getPrimaryResponse());
  }
}
