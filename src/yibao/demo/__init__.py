"""The demo world: invented people in two real cities, generated from a seed."""
