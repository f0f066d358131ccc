"""Continuous access evaluation: a person's token ends when the sessions are revoked.

Graph learns of it in minutes; here it is known at once. The challenge is worded as the tests of
Microsoft's own clients quote it (kiota, azure-core).
"""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING

import orjson

from reconciler.sandbox import errors
from reconciler.sandbox.data import accounts, moments

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.login.tokens import Caller

_CHALLENGE = (
    'Bearer realm="", '
    'authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
    'client_id="00000003-0000-0000-c000-000000000000"'
)


def require(db: sqlite3.Connection, caller: Caller) -> None:
    """Raise Graph's 401 when *caller* is a person who was signed out since, blocked, or is gone."""
    if not caller.is_person:
        return
    user = accounts.find(db, caller.principal_id)
    said = user.properties.get("signInSessionsValidFromDateTime") if user else None
    since = moments.parse(said) if said else None
    # Both are whole seconds: a token of the very second of the revocation may be older.
    is_signed_out = since is not None and caller.issued <= since.timestamp()
    if user is None or is_signed_out or not user.properties.get("accountEnabled"):
        raise errors.TOKEN_REVOKED.error()


def challenge(error: errors.GraphError) -> dict[str, str]:
    """Give the header that says what a 401 wants: another token, or one that is newer."""
    if error.status != errors.TOKEN_REVOKED.status:
        return {}
    if error.message != errors.TOKEN_REVOKED.message:
        return {"www-authenticate": _CHALLENGE}
    wanted = {"access_token": {"nbf": {"essential": True, "value": str(int(time.time()))}}}
    claims = base64.b64encode(orjson.dumps(wanted)).decode()
    return {
        "www-authenticate": f'{_CHALLENGE}, error="insufficient_claims", claims="{claims}", '
        f'errorDescription="{error.message}"'
    }
