"""The benefit catalogue: items, how a region reimburses them, price ceilings, disease and procedure lists."""
