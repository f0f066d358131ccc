"""The company that a new tenant is filled with."""
