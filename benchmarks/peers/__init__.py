"""densehook beside other libraries that encode text, each in an environment of its own."""
