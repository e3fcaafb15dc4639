/**
 * The guard of {@code _meta.densehook}: it is kept when a mapping is put without it, and refused
 * when it is wrong, before any document or search meets it.
 */
package org.densehook.elasticsearch.mapping;
