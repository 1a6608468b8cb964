"""Alerts outside the engine: the user's rules on disk, and who else is told of an alert."""
