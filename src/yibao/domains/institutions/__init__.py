"""Designated institutions, their agreements, departments, practitioners, sign-ins and item mappings."""
