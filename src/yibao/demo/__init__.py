"""The demo world: invented people and institutions in two real cities, and the stories among them."""
