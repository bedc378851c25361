"""Payment groups: which group a finished stay belongs to, decided from the published tables and explained."""
