"""What we know: one folder per noun. Domains never import each other."""
