"""Yibao (医保): an open medical-insurance platform for a Chinese pooling region."""

__version__ = "0.1.0"
