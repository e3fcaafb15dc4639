package org.densehook.encode;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * The native halves of ONNX Runtime and of the tokenizers library, loaded from the plugin's own
 * folder: nothing is unpacked to a temporary folder, which may be mounted noexec.
 */
public final class NativeLibraries {

  private NativeLibraries() {}

  /**
   * Loads them, once for this class loader; to be called before any other class of this package.
   *
   * @param natives the folder with a folder of three shared libraries for the platform of the zip
   * @throws UnsatisfiedLinkError when they are missing or the zip is not for this machine
   */
  public static void load(Path natives) {
    String platform = platform(System.getProperty("os.name"), System.getProperty("os.arch"));
    Path folder = natives.resolve(platform).toAbsolutePath();
    if (!Files.isDirectory(folder)) {
      throw new UnsatisfiedLinkError(
          "this node is "
              + platform
              + " and the plugin's zip is for another platform; install the one that is built with:"
              + " make plugin PLATFORM="
              + platform);
    }
    System.load(folder.resolve("libtokenizers.so").toString());
    System.setProperty("onnxruntime.native.path", folder.toString());
  }

  /** What a platform's zip is called by, as linux-x86_64. */
  static String platform(String system, String architecture) {
    String machine = architecture.equals("amd64") ? "x86_64" : architecture;
    return system.toLowerCase(Locale.ROOT).replace(' ', '-') + "-" + machine;
  }
}
