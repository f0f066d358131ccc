"""Runs a plan: waves, retries and ambiguous outcomes, and the records that a run leaves.

What is executed is a `Plan` and nothing else. The engine decides when a request is sent,
`verdicts` what an answer means, `journal` and `receipt` what is kept of it.
"""
