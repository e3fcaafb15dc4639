package org.densehook.elasticsearch.service;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.densehook.bundle.Bundle;
import org.densehook.bundle.BundleException;
import org.densehook.encode.EncoderRuntime;
import org.densehook.encode.NativeLibraries;
import org.densehook.encode.SelfTest;

/** The bundles in config/densehook: which there are, and each opened when it proves itself. */
final class BundleFolder {

  private static final Logger logger = LogManager.getLogger(BundleFolder.class);

  private final Path folder;
  private final Path natives;
  private boolean nativesLoaded;

  /**
   * Nothing is read yet.
   *
   * @param folder where bundles lie, one folder each
   * @param natives where the native libraries lie, in a folder of their platform
   */
  BundleFolder(Path folder, Path natives) {
    this.folder = folder;
    this.natives = natives;
  }

  /** The folders of bundles. */
  List<Path> all() throws IOException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        if (Files.isDirectory(entry) && !entry.getFileName().toString().startsWith(".")) {
          found.add(entry);
        }
      }
    } catch (NoSuchFileException e) {
      logger.info("no encoders: there is no folder [{}]", folder);
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return found;
  }

  /** Content of a bundle's encoder.json; tells whether it is another than before. */
  static String readManifest(Path path) throws BundleException, IOException {
    try {
      return Files.readString(path.resolve(Bundle.MANIFEST));
    } catch (NoSuchFileException e) {
      throw new BundleException("it has no " + Bundle.MANIFEST + "; copy the bundle again");
    }
  }

  /**
   * Opens a bundle that gives its own golden vectors.
   *
   * @param threads threads of one run
   */
  EncoderRuntime open(Path path, String name, int threads) throws BundleException, IOException {
    Bundle bundle = Bundle.read(path);
    if (!bundle.manifest().name().equals(name)) {
      throw new BundleException(
          "its folder is ["
              + name
              + "], its manifest says ["
              + bundle.manifest().name()
              + "]; give the folder that name");
    }
    loadNatives();
    EncoderRuntime encoder = new EncoderRuntime(bundle, threads);
    try {
      SelfTest.run(encoder, bundle);
    } catch (Throwable e) {
      encoder.close();
      throw e;
    }
    return encoder;
  }

  private synchronized void loadNatives() {
    if (!nativesLoaded) {
      NativeLibraries.load(natives);
      nativesLoaded = true;
    }
  }

  /** Why a bundle is refused, in words. */
  static String reason(Throwable failure) {
    if (failure instanceof AccessDeniedException denied) {
      return denied.getFile() + " may not be read by the user Elasticsearch runs as; let it";
    }
    return failure instanceof BundleException ? failure.getMessage() : failure.toString();
  }

  @Override
  public String toString() {
    return folder.toString();
  }
}
