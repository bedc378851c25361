"""Rule hits on bills, what institutions answered, and appeals."""
