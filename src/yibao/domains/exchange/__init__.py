"""What was said to the parties outside and heard from them."""
