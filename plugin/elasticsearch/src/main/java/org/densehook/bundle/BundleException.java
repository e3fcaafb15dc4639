package org.densehook.bundle;

/** A bundle that cannot go into service; the message says which, why, and what to do. */
public final class BundleException extends Exception {

  public BundleException(String message) {
    super(message);
  }
}
