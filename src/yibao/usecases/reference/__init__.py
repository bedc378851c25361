"""What institutions look up: institutions, departments, practitioners."""
