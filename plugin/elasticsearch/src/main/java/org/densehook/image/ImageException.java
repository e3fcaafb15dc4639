package org.densehook.image;

/** Why something is no image that can be read. */
public final class ImageException extends Exception {

  private static final long serialVersionUID = 1L;

  public ImageException(String message) {
    super(message);
  }
}
