"""Where facts are kept: Redis, recordings."""
