"""What people and clerks do with applications."""
