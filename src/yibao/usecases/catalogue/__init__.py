"""What can be done with the catalogue: load it, hand it out, map an institution's own items to it."""
