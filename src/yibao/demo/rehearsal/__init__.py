"""A whole window rehearsed: who comes when, what each institution sends, and what is left afterwards."""
