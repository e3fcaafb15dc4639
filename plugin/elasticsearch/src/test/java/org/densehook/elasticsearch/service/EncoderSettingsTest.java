package org.densehook.elasticsearch.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.elasticsearch.common.settings.Settings;
import org.junit.jupiter.api.Test;

/** Settings have the bounds of what they bound. */
final class EncoderSettingsTest {

  private static Settings window(int size) {
    return Settings.builder().put(EncoderSettings.RERANK_MAX_WINDOW.getKey(), size).build();
  }

  @Test
  void noMoreIsRerankedThanASearchMayFetch() {
    assertEquals(10_000, EncoderSettings.RERANK_MAX_WINDOW.get(window(10_000)));
    assertThrows(
        IllegalArgumentException.class,
        () -> EncoderSettings.RERANK_MAX_WINDOW.get(window(10_001)));
  }
}
