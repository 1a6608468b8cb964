"""The commands behind `ticktick`, one module each, loaded by name."""
