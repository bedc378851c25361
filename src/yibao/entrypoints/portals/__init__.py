"""Ways in for people with a browser: server-rendered pages that work without JavaScript."""
