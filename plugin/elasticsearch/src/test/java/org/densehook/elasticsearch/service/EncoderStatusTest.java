package org.densehook.elasticsearch.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.densehook.bundle.Kind;
import org.densehook.encode.LaneStats;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.io.stream.BytesStreamOutput;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.json.JsonXContent;
import org.junit.jupiter.api.Test;

class EncoderStatusTest {

  private static final EncoderStatus PLAIN = ready("fp32", "", false);
  private static final EncoderStatus VARIANT = ready("int8", "fused-int8", true);

  private static EncoderStatus ready(String precision, String variant, boolean batchDependent) {
    EncoderStatus.Lane lane = EncoderStatus.Lane.of(new LaneStats().snapshot(), 3, 4, 5, 6);
    return new EncoderStatus(
        "tiny",
        EncoderStatus.State.READY,
        null,
        new EncoderStatus.Loaded(
            "sha256:aa",
            precision,
            variant,
            batchDependent,
            384,
            true,
            256,
            1000,
            "1.32.0",
            lane,
            lane,
            Kind.DENSE,
            variant.isEmpty() ? "" : "none",
            null,
            variant.isEmpty() ? null : "sha256:bb",
            variant.isEmpty() ? Map.of() : Map.of(Kind.MULTI, 128)));
  }

  private static String shown(EncoderStatus status) throws IOException {
    try (XContentBuilder builder = JsonXContent.contentBuilder()) {
      builder.startObject();
      status.toXContent(builder, null);
      return Strings.toString(builder.endObject());
    }
  }

  @Test
  void itComesBackFromTheWireAsItWas() throws IOException {
    for (EncoderStatus status : List.of(PLAIN, VARIANT)) {
      try (BytesStreamOutput out = new BytesStreamOutput()) {
        status.writeTo(out);
        try (StreamInput in = out.bytes().streamInput()) {
          assertEquals(status, EncoderStatus.read(in));
          assertEquals(-1, in.read());
        }
      }
    }
  }

  @Test
  void aVariantIsShownBesideItsPrecision() throws IOException {
    String expected =
        "\"precision\":\"int8\",\"variant\":\"fused-int8\",\"proof\":\"none\",\"batch_dependent\":true,";
    assertTrue(shown(VARIANT).contains(expected), shown(VARIANT));
  }

  @Test
  void aPlainExportShowsNothingOfVariants() throws IOException {
    assertTrue(shown(PLAIN).contains("\"precision\":\"fp32\",\"dims\":384"), shown(PLAIN));
    assertFalse(shown(PLAIN).contains("variant"));
  }
}
