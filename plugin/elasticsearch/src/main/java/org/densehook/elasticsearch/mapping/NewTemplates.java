package org.densehook.elasticsearch.mapping;

import java.util.Map;
import org.densehook.elasticsearch.mapping.Change.Target;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.elasticsearch.cluster.metadata.Template;
import org.elasticsearch.common.compress.CompressedXContent;
import org.elasticsearch.common.settings.Settings;

/** What templates of all kinds say of vectors; others may complete what one says. */
final class NewTemplates {

  private NewTemplates() {}

  /**
   * What it says.
   *
   * @param kind what a message calls it
   */
  static Change of(String kind, String name, Template template) {
    CompressedXContent mappings = template == null ? null : template.mappings();
    return mappings == null
        ? null
        : of(kind, name, MappingBody.parse(mappings.string()), template.settings());
  }

  /**
   * What it says.
   *
   * @param kind what a message calls it
   * @param body its mapping, as a request has it; null for none
   */
  static Change of(String kind, String name, Map<String, Object> body, Settings settings) {
    Map<String, Object> meta = body == null ? null : MappingBody.meta(MappingBody.inner(body));
    if (meta == null || meta.get("densehook") == null) {
      return null;
    }
    return Change.of(
        new Target(
            kind + " [" + name + "]",
            null,
            null,
            new IndexVectors(MappingBody.inner(body), false),
            false,
            settings != null && RequestedSettings.embed(RequestedSettings.normalised(settings))));
  }
}
