package org.densehook.elasticsearch.mapping;

import java.util.Map;
import org.elasticsearch.ElasticsearchParseException;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.index.mapper.MapperService;
import org.elasticsearch.xcontent.XContentType;

/** A mapping as a request has it: bare, or wrapped in the one type there is. */
final class MappingBody {

  private static final String TYPE = MapperService.SINGLE_MAPPING_NAME;

  private MappingBody() {}

  /** The body in its order; null when it is no object, which Elasticsearch then says. */
  static Map<String, Object> parse(String json) {
    if (json == null) {
      return null;
    }
    try {
      return XContentHelper.convertToMap(XContentType.JSON.xContent(), json, true);
    } catch (ElasticsearchParseException | IllegalArgumentException e) {
      return null;
    }
  }

  /** The mapping itself; changing it changes the body. */
  @SuppressWarnings("unchecked")
  static Map<String, Object> inner(Map<String, Object> body) {
    return body.size() == 1 && body.get(TYPE) instanceof Map<?, ?> typed
        ? (Map<String, Object>) typed
        : body;
  }

  /** The mapping's {@code _meta}; null when it has none. */
  @SuppressWarnings("unchecked")
  static Map<String, Object> meta(Map<String, Object> mapping) {
    return mapping.get("_meta") instanceof Map<?, ?> meta ? (Map<String, Object>) meta : null;
  }
}
