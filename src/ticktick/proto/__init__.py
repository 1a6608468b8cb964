"""The broker's feed schema and the module generated from it; no logic."""
