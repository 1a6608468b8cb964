"""The dashboard server: pages, socket and their security."""
