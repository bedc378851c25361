"""What can be asked about messages by an operator."""
