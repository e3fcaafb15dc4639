package org.densehook.encode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NativeLibrariesTest {

  @Test
  void aPlatformIsCalledAsItsZipIs() {
    assertEquals("linux-x86_64", NativeLibraries.platform("Linux", "amd64"));
    assertEquals("linux-aarch64", NativeLibraries.platform("Linux", "aarch64"));
    assertEquals("mac-os-x-aarch64", NativeLibraries.platform("Mac OS X", "aarch64"));
  }

  @Test
  void aZipForAnotherPlatformSaysWhichIsWanted(@TempDir Path natives) {
    String refusal =
        assertThrows(UnsatisfiedLinkError.class, () -> NativeLibraries.load(natives)).getMessage();
    assertTrue(refusal.contains("make plugin PLATFORM="), refusal);
  }
}
