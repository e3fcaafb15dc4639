package org.densehook.elasticsearch.service;

import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.ObjectName;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/** The memory that native libraries allocate. */
final class NativeHeap {

  private static final Logger logger = LogManager.getLogger(NativeHeap.class);

  private NativeHeap() {}

  /**
   * Gives back to the operating system what is free in it. ONNX Runtime reads a model's file into
   * memory and copies the weights out; the C library keeps a good part of what is freed then, a
   * third of the model and more.
   *
   * <p>It is what {@code jcmd PID System.trim_native_heap} does. A JVM that lacks it (before
   * 17.0.9) or whose C library cannot, lets it be.
   */
  static void trim() {
    try {
      ManagementFactory.getPlatformMBeanServer()
          .invoke(
              new ObjectName("com.sun.management:type=DiagnosticCommand"),
              "systemTrimNativeHeap",
              new Object[0],
              new String[0]);
    } catch (JMException | RuntimeException e) {
      logger.debug("the native heap cannot be trimmed here", e);
    }
  }
}
