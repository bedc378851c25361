"""The steps from a bill to who bears what, and the choice of the rows they work by."""
