"""When the law changes backwards: which settlements come out differently, and settling them again."""
