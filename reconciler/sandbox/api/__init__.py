"""What Graph does, one module to an area; each lists its addresses in `ROUTES`."""
