"""Initial passwords, and a value that holds one without showing it.

A password is drawn uniformly from all strings of `LENGTH` characters of `ALPHABET` that
hold every class at least once: whole strings are drawn and rejected, never repaired, so no
position and no class gives anything away. Of the 59 characters 24 are lower case, 21 upper
case, 5 digits and 9 symbols; by inclusion and exclusion over the classes that are missing,

    59^16 - 54^16 - 50^16 - 38^16 - 35^16 + 45^16 + ... = about 1.51e28 = 2^93.6

strings are left, that is 93.6 bits. Each word of a person's name takes fewer than one in a
thousand of them away.
"""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata
from typing import TYPE_CHECKING, NoReturn

from reconciler.errors import ReconcilerError

try:
    import resource
except ImportError:  # pragma: no cover -- Windows, which writes no core dumps
    resource = None  # type: ignore[assignment]  # see above

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

LENGTH = 16
CLASSES = (
    "abcdefghijkmnpqrstuvwxyz",
    "ACDEFGHJKLMNPQRTUVWXY",
    "34679",
    "!#$%&()*?",
)
"""Microsoft Entra asks for three of these four, and allows these symbols among others.

Left out are characters that readers take for one another (0 O o, 1 l I |, 2 Z, 5 S, 8 B),
that a spreadsheet executes at the start of a cell (= + - @) or turns into a date (/ : -),
that CSV quotes or splits at (, ; " ' and the space), and that a keyboard may hide (the
dead keys ^ ~ `).
"""
ALPHABET = "".join(CLASSES)
_ATTEMPTS = 1000
"""Two draws in three succeed: that so many fail means that the randomness is broken."""
_SHORTEST_WORD = 2


def forbid_core_dumps() -> None:
    """Keep the memory of this process, in which passwords are, out of a crash's dump."""
    if resource is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


class Password:
    """Holds a plaintext; only `reveal` gives it, and no way of showing or copying it does."""

    __slots__ = ("_plaintext",)
    __hash__ = None  # type: ignore[assignment]  # a hash of a secret would be a trace of it

    def __init__(self, plaintext: str) -> None:
        self._plaintext = plaintext

    def reveal(self) -> str:
        """Give the plaintext, for the request that sets it and for sealing."""
        return self._plaintext

    def __eq__(self, other: object) -> bool:
        """Compare in a time that does not depend on where two passwords differ."""
        if not isinstance(other, Password):
            return NotImplemented
        return hmac.compare_digest(self._plaintext.encode(), other._plaintext.encode())

    def __repr__(self) -> str:
        return "Password(…)"

    def __format__(self, specification: str) -> str:
        """Show nothing, whatever the format asks for."""
        return format(repr(self), specification)

    def __getstate__(self) -> NoReturn:
        """Refuse to be pickled, copied or taken apart."""
        raise TypeError("a password is not copied: reveal it where it is needed")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse, as `__getstate__` does."""
        self.__getstate__()


def generate(
    names: Iterable[str], choice: Callable[[Sequence[str]], str] = secrets.choice
) -> Password:
    """Draw a password that holds no word of *names*: a person's names, and the UPN.

    Single letters do not count; case and accents make no difference.
    *choice* picks one character.
    """
    words = _words(names)
    for _ in range(_ATTEMPTS):
        plaintext = "".join(choice(ALPHABET) for _ in range(LENGTH))
        if _is_complete(plaintext) and not any(word in _plain(plaintext) for word in words):
            return Password(plaintext)
    raise ReconcilerError(
        f"no acceptable password in {_ATTEMPTS} draws",
        "the source of randomness of this machine seems to be broken: use another machine",
    )


def _is_complete(plaintext: str) -> bool:
    return all(any(c in members for c in plaintext) for members in CLASSES)


def _words(names: Iterable[str]) -> frozenset[str]:
    runs = (re.findall(r"[^\W\d_]+", _plain(name)) for name in names)
    return frozenset(word for run in runs for word in run if len(word) >= _SHORTEST_WORD)


def _plain(text: str) -> str:
    """Give the form in which names are looked for: `Zoë` and `ZOE` are `zoe`."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
