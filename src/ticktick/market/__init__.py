"""Market state: the slot table, rolling windows, candles and freshness."""
