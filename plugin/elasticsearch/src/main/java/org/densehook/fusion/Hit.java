package org.densehook.fusion;

/**
 * A document in a ranking.
 *
 * @param id what tells documents apart; needs equals and hashCode
 * @param score its score there, in whatever unit the ranking has
 */
public record Hit<K>(K id, double score) {}
