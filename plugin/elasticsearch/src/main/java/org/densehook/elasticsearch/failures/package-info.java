/** What becomes of documents that could not be embedded. */
package org.densehook.elasticsearch.failures;
