"""The same steps over columns of bills: for studies of millions. Needs the ``batch`` extra (Polars)."""
