/**
 * Pure fusion: the rankings of one query in, one set of fused scores out, with the parts of each.
 *
 * <p>Nothing here may know of Elasticsearch. The arithmetic is that of the Python package {@code
 * densehook.fusion}, operation by operation, so the scores are equal in double precision.
 */
package org.densehook.fusion;
