"""GitHub, as far as a pull request needs it: its comments, issues, runs and artifacts."""
