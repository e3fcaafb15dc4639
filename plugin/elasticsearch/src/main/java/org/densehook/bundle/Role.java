package org.densehook.bundle;

import java.util.Locale;

/** What a text is to the encoder; each has a prompt of its own. */
public enum Role {
  QUERY,
  DOCUMENT;

  /** The role of this name, as manifests and requests write it. */
  public static Role of(String name) {
    for (Role role : values()) {
      if (role.toString().equals(name)) {
        return role;
      }
    }
    throw new IllegalArgumentException("role is [" + name + "]; it must be [query] or [document]");
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
