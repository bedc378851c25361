"""What the window desk sees: tracks, backlog, errors, known problems."""
