"""What is done for an episode of care while a window is there."""
