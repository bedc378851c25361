"""What each transaction does: one file per family; every handler translates wire to command and result to wire."""
