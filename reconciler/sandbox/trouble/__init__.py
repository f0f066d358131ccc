"""Time and trouble: what Graph does to its clients on a bad day, all of it off by default."""
