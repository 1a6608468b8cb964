"""Upstox: login, history, instruments and the market feed."""
