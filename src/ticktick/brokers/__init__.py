"""Brokers: the only code, with the emulator, that knows a broker's words."""
