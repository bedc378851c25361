"""Certificates: what the agency has stated about somebody's insurance, and how a stranger checks it."""
