package org.densehook.elasticsearch.mapping;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.write.EmbedSettings;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;

/**
 * What a request makes of mappings, before it is carried out.
 *
 * @param targets the mappings, as they will be
 * @param warnings what the answer is to say in any case
 * @param apply changes the request itself; nothing when it goes on as it is
 */
record Change(List<Target> targets, List<String> warnings, Runnable apply) {

  /**
   * A mapping of an index or a template.
   *
   * @param name as a message names it: {@code index [a]}
   * @param index its name where it is an index's; null for a template's, which others may complete
   * @param before what it says now; null when there is none
   * @param after what it will say
   * @param embedsBefore whether nodes fill its fields now
   * @param embeds whether they will
   */
  record Target(
      String name,
      String index,
      IndexVectors before,
      IndexVectors after,
      boolean embedsBefore,
      boolean embeds) {

    /** What is wrong with it that is not wrong already, so that it may be told and mended. */
    private List<Finding> news(KnownEncoders known, List<String> warnings) {
      List<Finding> found = findings(after, embeds, known);
      List<Finding> old = before == null ? List.of() : findings(before, embedsBefore, known);
      List<Finding> news = new ArrayList<>();
      for (Finding finding : found) {
        if (!old.contains(finding)) {
          news.add(finding);
        } else if (finding.kind() == Finding.Kind.FAULT) {
          warnings.add(name + ": " + finding.message());
        }
      }
      return news;
    }

    private List<Finding> findings(IndexVectors mapping, boolean embeds, KnownEncoders known) {
      return Stream.concat(
              StatedVectors.findings(mapping, index != null).stream(),
              StatedEncoders.findings(mapping, embeds, known).stream())
          .toList();
    }

    private boolean hasNothingToEmbedAnyMore() {
      return index != null
          && embeds
          && hasNothingToEmbed(after)
          && !(embedsBefore && before != null && hasNothingToEmbed(before));
    }

    private static boolean hasNothingToEmbed(IndexVectors mapping) {
      return mapping.fields().values().stream().allMatch(field -> field.inputs().isEmpty());
    }
  }

  static Change of(Target target) {
    return new Change(List.of(target), List.of(), () -> {});
  }

  /** The fields whose encoders must be known. */
  Collection<EmbeddedField> fields() {
    return targets.stream()
        .flatMap(target -> target.after.fields().values().stream())
        .collect(Collectors.toSet());
  }

  /**
   * Judges it.
   *
   * @return what the answer is to say
   * @throws IllegalArgumentException for what is wrong with it, in one line
   * @throws EsRejectedExecutionException when that cannot be told yet
   */
  Collection<String> judge(KnownEncoders known) {
    List<String> all = new ArrayList<>(warnings);
    for (Target target : targets) {
      List<Finding> news = target.news(known, all);
      for (Finding.Kind kind : Finding.Kind.values()) {
        for (Finding finding : news) {
          if (finding.kind() == kind) {
            String message = target.name + ": " + finding.message();
            switch (kind) {
              case FAULT -> throw new IllegalArgumentException(message);
              case LATER -> throw new EsRejectedExecutionException(message);
              case WARNING -> all.add(message);
            }
          }
        }
      }
      if (target.hasNothingToEmbedAnyMore()) {
        throw EmbedSettings.nothingToEmbed(target.index);
      }
    }
    return Set.copyOf(all);
  }
}
