"""The built-in exchange: Upstox on the wire, a seeded market behind it."""
