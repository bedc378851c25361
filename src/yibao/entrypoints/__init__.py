"""The ways in: they translate, they never decide."""
