"""What an agency does with relations that move between regions."""
