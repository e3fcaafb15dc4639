/**
 * What an encoder is on disk: manifest, fingerprint, golden texts, sums. The format is that of
 * docs/bundle.md. Plain Java; nothing here runs a model.
 */
package org.densehook.bundle;
