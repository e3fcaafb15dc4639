package org.densehook.bundle;

/** What encoders of one kind state beside what all do. */
public sealed interface Part permits Dense {}
