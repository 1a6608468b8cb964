"""Facts of the market and of time: immutable, without input or output."""
