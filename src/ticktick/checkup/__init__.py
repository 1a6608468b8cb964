"""Checks of this machine and of the user's folder, one line for each."""
