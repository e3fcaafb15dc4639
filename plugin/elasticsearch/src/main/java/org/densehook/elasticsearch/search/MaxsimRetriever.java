package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.elasticsearch.common.bytes.BytesReference;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.search.retriever.RescorerRetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverParserContext;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xcontent.XContentParserConfiguration;
import org.elasticsearch.xcontent.json.JsonXContent;

/**
 * Retriever {@code maxsim}: the best hits of another retriever in the order of their MaxSim. It is
 * a short way to write Elasticsearch's own {@code rescorer}, by the query {@code maxsim} alone.
 */
final class MaxsimRetriever {

  /** The name that is its alone. */
  static final String NAME = "densehook_maxsim";

  /** The name it has in requests where no other plugin has taken it. */
  static final String PLAIN_NAME = "maxsim";

  /** The largest window that a request may ask for. */
  static final Setting<Integer> MAX_WINDOW =
      Setting.intSetting(
          "densehook.maxsim.max_window", 1000, 1, 10_000, Setting.Property.NodeScope);

  private static final String WINDOW = "rank_window_size";
  private static final int DEFAULT_WINDOW = 100;

  private MaxsimRetriever() {}

  /**
   * Reads its body.
   *
   * @throws IllegalArgumentException for a window that is none, or too large
   */
  static RescorerRetrieverBuilder fromXContent(
      XContentParser parser, RetrieverParserContext context, int maxWindow) throws IOException {
    Map<String, Object> body = new LinkedHashMap<>(parser.map());
    int window = window(body.remove(WINDOW), maxWindow);
    Map<String, Object> query = new HashMap<>();
    for (String key :
        new String[] {
          MaxsimQueryBuilder.FIELD.getPreferredName(),
          AskedContent.TEXT.getPreferredName(),
          AskedContent.IMAGE.getPreferredName(),
          MaxsimQueryBuilder.VECTORS.getPreferredName()
        }) {
      if (body.containsKey(key)) {
        query.put(key, body.remove(key));
      }
    }
    if (!body.containsKey("retriever") || body.containsKey("rescore")) {
      throw new IllegalArgumentException(
          "["
              + PLAIN_NAME
              + "] needs [retriever], whose hits it scores, [field] and [text] or [image], and has no"
              + " [rescore] of its own");
    }
    body.put(
        "rescore",
        Map.of(
            "window_size",
            window,
            "query",
            Map.of(
                "rescore_query",
                Map.of(MaxsimQueryBuilder.NAME, query),
                "query_weight",
                0,
                "rescore_query_weight",
                1)));
    XContentParserConfiguration configuration =
        XContentParserConfiguration.EMPTY
            .withRegistry(parser.getXContentRegistry())
            .withDeprecationHandler(parser.getDeprecationHandler());
    try (XContentBuilder json = JsonXContent.contentBuilder().map(body);
        XContentParser written =
            JsonXContent.jsonXContent.createParser(
                configuration, BytesReference.bytes(json).streamInput())) {
      return RescorerRetrieverBuilder.fromXContent(written, context);
    }
  }

  private static int window(Object stated, int maxWindow) {
    if (stated == null) {
      return Math.min(DEFAULT_WINDOW, maxWindow);
    }
    if (!(stated instanceof Integer window) || window < 1 || window > maxWindow) {
      throw new IllegalArgumentException(
          "["
              + WINDOW
              + "] of ["
              + PLAIN_NAME
              + "] is ["
              + stated
              + "]; it must be from 1 to ["
              + MAX_WINDOW.getKey()
              + "], which is "
              + maxWindow);
    }
    return window;
  }
}
