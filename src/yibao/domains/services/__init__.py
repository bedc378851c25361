"""Services: what somebody may ask of the agency, what they asked, and how far it is."""
