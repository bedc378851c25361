"""Whether benefits are due on a day, and since when that is known."""
