"""Microsoft Graph: signing in, asking, and turning changes into requests.

Only `transport` opens a connection; `requests`, `operations`, `batching`, `errors` and
`decoding` are pure. Facts about Graph stand in `errors` and `requests`, each with its
source, so that what a live tenant contradicts is corrected in one place.
"""
