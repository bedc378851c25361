"""E-prescriptions: written by a hospital, filled by a pharmacy."""
