/**
 * What an index says of its vectors, and the filters that make them where it asks for it with
 * {@code index.densehook.embed}. Encoders are only called here.
 */
package org.densehook.elasticsearch.write;
