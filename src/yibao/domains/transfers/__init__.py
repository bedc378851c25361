"""Years and money that move between regions."""
