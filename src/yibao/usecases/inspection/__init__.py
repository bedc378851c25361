"""An institution looks at what it sent and what was made of it. Reads only, masked, its own messages only."""
