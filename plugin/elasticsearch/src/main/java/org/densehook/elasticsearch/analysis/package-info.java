/** Analysis for BM25 that can be compared with Anserini's. */
package org.densehook.elasticsearch.analysis;
