"""YEAR: a region from empty to eighteen closed months, beside books of its own."""
