package org.densehook.elasticsearch.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.service.KnownEncoder;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.FieldToEmbed;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.StoredDocuments.Found;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.IndexVersion;
import org.elasticsearch.index.VersionType;
import org.elasticsearch.ingest.IngestDocument;
import org.junit.jupiter.api.Test;

class PipelineDocumentTest {

  static {
    LogConfigurator.configureESLogging(); // without it an index's metadata cannot be made
  }

  private static final EncoderHandle HANDLE = new KnownEncoder("e", "sha256:e", 2);

  private static final FieldToEmbed FIELD =
      new FieldToEmbed(
          new EmbeddedField("v", List.of("t"), "e", "sha256:e", false),
          HANDLE,
          true,
          true,
          List.of());

  private static PipelineDocument document(Map<String, Object> source) {
    IndexMetadata index =
        IndexMetadata.builder("i")
            .settings(
                Settings.builder()
                    .put(IndexMetadata.SETTING_VERSION_CREATED, IndexVersion.current())
                    .put(IndexMetadata.SETTING_INDEX_UUID, "uuid"))
            .numberOfShards(1)
            .numberOfReplicas(0)
            .build();
    IngestDocument document =
        new IngestDocument("i", "1", 1, null, VersionType.INTERNAL, new HashMap<>(source));
    Destination destination = new Destination(index, new IndexVectors(Map.of(), false));
    return PipelineDocument.of(document, destination, List.of(FIELD), source);
  }

  @Test
  void aVectorThatNobodyKnowsTheOwnerOfIsNotTakenForTheClients() {
    Exception full = new IllegalStateException("the queue of gets is full");
    PipelineDocument brought = document(Map.of("t", "cats", "v", List.of(1.0, 0.0)));
    assertNotNull(brought.wanted());
    brought.found(new Found(null, full));
    assertEquals(full, brought.failure());
  }

  @Test
  void whereNoVectorIsBroughtItIsMadeAlthoughNothingCouldBeRead() {
    PipelineDocument plain = document(Map.of("t", "cats"));
    assertNotNull(plain.wanted());
    plain.found(new Found(null, new IllegalStateException("the queue of gets is full")));
    assertNull(plain.failure());
    assertNull(plain.stored());
  }
}
