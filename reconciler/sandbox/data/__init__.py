"""What the tenant keeps: rows, values and the files they live in."""
