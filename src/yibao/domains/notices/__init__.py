"""What is told to people: notices, messages, bulletins, known problems."""
