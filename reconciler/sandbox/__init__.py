"""A tenant of Microsoft Entra ID on this machine: Graph over HTTP, sign-in over TLS.

It is written from Graph's published contract and not from what our client sends, so that
the two readings keep each other honest. What the sources of a behaviour are is noted where
the behaviour stands; `errors.py` grades its evidence row by row.
"""
