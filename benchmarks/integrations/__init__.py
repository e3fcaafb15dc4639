"""Other people's real packages at work with ours: every example of docs/integrations.md."""
