/**
 * The filters of writes, and what they do: vectors where an index asks for them with {@code
 * index.densehook.embed}, updates of bulks merged before that.
 */
package org.densehook.elasticsearch.write;
