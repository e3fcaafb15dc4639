package org.densehook.elasticsearch.search;

import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Predicate;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.elasticsearch.common.util.concurrent.ThreadContext;

/**
 * What searches by text need of their node.
 *
 * @param fieldFilter for an index the fields that the caller may see
 * @param threadContext of the node's threads
 * @param generic where reading may take its time
 */
public record SearchServices(
    NodeEncoders encoders,
    IndexVectorsCache indexVectors,
    Function<String, ? extends Predicate<String>> fieldFilter,
    ThreadContext threadContext,
    Executor generic) {}
