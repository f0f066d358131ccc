"""The commands of `reconciler`, one module each."""
