"""Tick-Tick: a real-time stock monitor for Indian day traders."""

__version__ = "0.1.0"
