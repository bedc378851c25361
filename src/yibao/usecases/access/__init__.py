"""Staff come and go: log in, stay, log out."""
