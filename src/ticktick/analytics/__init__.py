"""What final candles say: indicators and candlestick patterns, one step per candle."""
