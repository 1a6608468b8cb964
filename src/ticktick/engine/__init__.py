"""The engine: one synchronous path from event to facts, the same in every mode."""
