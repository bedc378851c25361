"""The world outside: small stand-ins of the offices that a region exchanges with, each its own process and store.

They know nothing of the platform but its words (``yibao.kernel``) and the messages they exchange with it over HTTP.
"""
