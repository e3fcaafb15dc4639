/** The ingest processor. */
package org.densehook.elasticsearch.ingest;
