package org.densehook.bundle;

/** White space is no text, whichever of Unicode's it is. */
public final class Blank {

  private Blank() {}

  /**
   * Whether a text has only code points that show nothing: of the general categories Cc, Cf, Zs, Zl
   * and Zp, so tabs, no-break spaces and zero-width ones too. The Python package asks the same.
   */
  public static boolean is(String text) {
    return text.codePoints().allMatch(Blank::showsNothing);
  }

  /** Whether a code point is one of these. */
  public static boolean showsNothing(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SPACE_SEPARATOR,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }
}
