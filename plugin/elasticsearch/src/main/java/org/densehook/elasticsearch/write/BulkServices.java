package org.densehook.elasticsearch.write;

import org.densehook.elasticsearch.compat.BulkPressure;
import org.densehook.elasticsearch.vectors.DocumentEmbedder;
import org.densehook.elasticsearch.vectors.StoredDocuments;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.common.breaker.CircuitBreaker;
import org.elasticsearch.script.ScriptService;
import org.elasticsearch.threadpool.ThreadPool;

/**
 * What bulks need of the node.
 *
 * @param breaker of requests, for what is held beside the documents
 */
record BulkServices(
    DocumentEmbedder embedder,
    StoredDocuments storedDocuments,
    Client client,
    ThreadPool threadPool,
    ScriptService scripts,
    BulkPressure pressure,
    CircuitBreaker breaker) {}
