package org.densehook.encode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.densehook.bundle.BundleException;
import org.densehook.bundle.Kind;
import org.densehook.bundle.Manifest;
import org.junit.jupiter.api.Test;

class JoinedTest {

  // vectors of 4, weights of 2 tokens, token vectors of 16
  private static Manifest manifest() throws BundleException, IOException {
    return manifest("manifest_of_heads.json");
  }

  private static Manifest manifest(String name) throws BundleException, IOException {
    try (InputStream stream = Manifest.class.getResourceAsStream(name)) {
      return Manifest.parse(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  private static float[] filled(int length, float value) {
    float[] row = new float[length];
    Arrays.fill(row, value);
    return row;
  }

  @Test
  void eachKindsRowComesOutAsItWentIn() throws BundleException, IOException {
    float[] joined = Joined.of(List.of(filled(4, 1), filled(4, 2), filled(48, 3)));
    Set<Kind> all = EnumSet.of(Kind.DENSE, Kind.SPARSE, Kind.MULTI);
    assertArrayEquals(filled(4, 1), Joined.row(Kind.DENSE, all, joined, manifest()));
    assertArrayEquals(filled(4, 2), Joined.row(Kind.SPARSE, all, joined, manifest()));
    assertArrayEquals(filled(48, 3), Joined.row(Kind.MULTI, all, joined, manifest()));
  }

  @Test
  void theOneOfAnyLengthNeedNotBeTheLast() throws BundleException, IOException {
    float[] joined = Joined.of(List.of(filled(96, 1), filled(24, 2)));
    Manifest images = manifest("manifest_of_images.json");
    Set<Kind> both = images.kindsOfImages();
    assertArrayEquals(filled(96, 1), Joined.row(Kind.MULTI, both, joined, images));
    assertArrayEquals(filled(24, 2), Joined.row(Kind.IMAGE_TEXT, both, joined, images));
  }

  @Test
  void ofSomeKindsTheOthersTakeNoRoom() throws BundleException, IOException {
    float[] joined = Joined.of(List.of(filled(4, 2), filled(0, 3)));
    Set<Kind> two = EnumSet.of(Kind.SPARSE, Kind.MULTI);
    assertArrayEquals(filled(4, 2), Joined.row(Kind.SPARSE, two, joined, manifest()));
    assertArrayEquals(new float[0], Joined.row(Kind.MULTI, two, joined, manifest()));
    Manifest manifest = manifest();
    assertThrows(
        IllegalArgumentException.class, () -> Joined.row(Kind.DENSE, two, joined, manifest));
  }

  @Test
  void aRowOfOneKindIsItself() throws BundleException, IOException {
    float[] row = filled(32, 1);
    assertSame(row, Joined.row(Kind.MULTI, EnumSet.of(Kind.MULTI), row, manifest()));
  }
}
