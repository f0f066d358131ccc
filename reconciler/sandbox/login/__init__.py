"""The login service: who signs in how, and the tokens that say so."""
