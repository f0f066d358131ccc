"""Initial credentials: drawn at random, held without being shown, sealed for a few people.

A password exists in two places only: in the memory of the run that needs it, and in files
that age encrypted to the public keys a cohort names (https://age-encryption.org/v1). The
run that makes one can therefore not read back what it sealed, and neither can anybody who
reads its logs or downloads its artifacts.
"""

from __future__ import annotations

from reconciler.credentials.opening import unseal
from reconciler.credentials.password import Password, forbid_core_dumps, generate
from reconciler.credentials.recipients import Problem, check_recipients
from reconciler.credentials.sealing import Credential, seal
from reconciler.credentials.vault import Vault, left_pieces

__all__ = [
    "Credential",
    "Password",
    "Problem",
    "Vault",
    "check_recipients",
    "forbid_core_dumps",
    "generate",
    "left_pieces",
    "seal",
    "unseal",
]
