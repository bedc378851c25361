"""Who may log in to the pages, and for how long a session lives."""
