/** What searches use: query vector builder, dense query, hybrid retriever. */
package org.densehook.elasticsearch.search;
