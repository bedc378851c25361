"""Looking at persons: as they are, as they were on a day, and where it is in doubt who somebody is."""
