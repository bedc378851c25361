"""What a person may ask of his or her own data: all of it, and its correction."""
