"""The state of a delta query between two requests, as an opaque token.

A token carries all of it, so that the tenant keeps nothing for those who never come back, and
a signature, so that it cannot be made up.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import astuple, dataclass

import orjson

from reconciler.sandbox import errors

_SIGNATURE = 16
"""Bytes."""


@dataclass(frozen=True, slots=True)
class State:
    """How far one client has come."""

    kind: str
    """`user` or `group`."""
    select: tuple[str, ...]
    """As asked for; empty when there is none."""
    ids: tuple[str, ...]
    """The only objects that are asked about; empty for all."""
    issued: float
    """When the round began, in seconds since 1970."""
    since: int | None
    """The last change of the round before; None in a first round."""
    until: int | None = None
    """The last change of this round; None before its first page."""
    after: int = 0
    """The last row that was shown in this round."""
    within: int = 0
    """The last link of the row after it, when its links fill more than a page."""


def packed(state: State, key: bytes) -> str:
    """Give the token for *state*."""
    text = orjson.dumps(astuple(state))
    return base64.urlsafe_b64encode(_signature(text, key) + text).rstrip(b"=").decode()


def unpacked(token: str, key: bytes) -> State:
    """Give the state that *token* stands for; raises Graph's refusal of what is none."""
    try:
        whole = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise errors.DELTA_TOKEN.error() from error
    text = whole[_SIGNATURE:]
    if not hmac.compare_digest(whole[:_SIGNATURE], _signature(text, key)):
        raise errors.DELTA_TOKEN.error()
    kind, select, ids, *rest = orjson.loads(text)
    return State(kind, tuple(select), tuple(ids), *rest)


def _signature(text: bytes, key: bytes) -> bytes:
    return hmac.digest(key, b"delta" + text, hashlib.sha256)[:_SIGNATURE]
