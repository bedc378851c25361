"""What the law says: dated parameters and pure formulas. Imports only the kernel; no I/O."""
