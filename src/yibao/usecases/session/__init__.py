"""An operator's day at an institution: signing in and out."""
