package org.densehook.encode;

import java.nio.file.Path;

/**
 * The native halves of ONNX Runtime and of the tokenizers library, loaded from the plugin's own
 * folder: nothing is unpacked to a temporary folder, which may be mounted noexec.
 */
public final class NativeLibraries {

  private NativeLibraries() {}

  /**
   * Loads them, once for this class loader; to be called before any other class of this package.
   *
   * @param folder the folder that holds the three shared libraries
   * @throws UnsatisfiedLinkError when one is missing or is not for this machine
   */
  public static void load(Path folder) {
    Path absolute = folder.toAbsolutePath();
    System.load(absolute.resolve("libtokenizers.so").toString());
    System.setProperty("onnxruntime.native.path", absolute.toString());
  }
}
