"""What the book and the tape say beyond the last tick: flags, crossings, impact."""
