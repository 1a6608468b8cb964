"""Hot path: numeric steps over columns, one call per frame."""
