"""Initial credentials of one run: drawn, sealed before they are used, and kept as one file.

Passwords live here, in memory, from the moment they are drawn until the run ends.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.credentials import Credential, Password
from reconciler.executor.receipt import SealedFile
from reconciler.model import folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from reconciler.changes import Change
    from reconciler.credentials import Vault
    from reconciler.model import CohortName

_NAMES = frozenset({"displayName", "givenName", "surname", "userPrincipalName", "mailNickname"})


class Issuer:
    """Draws and seals the passwords of a run's new accounts."""

    def __init__(
        self,
        vault: Vault,
        draw: Callable[[Iterable[str]], Password],
        on_sealed: Callable[[CohortName, Path, list[str]], None],
    ) -> None:
        self._vault = vault
        self._draw = draw
        self._on_sealed = on_sealed
        self._issued: dict[str, tuple[CohortName, Credential]] = {}
        self._drawn: list[Password] = []
        """Those that were refused as well."""

    def issue(self, changes: Sequence[Change]) -> None:
        """Draw a password for each new account and seal them all; on disk when it returns."""
        by_cohort: defaultdict[CohortName, list[Credential]] = defaultdict(list)
        for change in changes:
            credential = self._credential(change)
            self._drawn.append(credential.password)
            self._issued[folded(credential.user_principal_name)] = (change.cohort, credential)
            by_cohort[change.cohort].append(credential)
        for cohort, credentials in by_cohort.items():
            path = self._vault.store(cohort, credentials)
            self._on_sealed(cohort, path, [c.user_principal_name for c in credentials])

    def password(self, change: Change) -> Password | None:
        """Give the password that was sealed for *change*; None where there is none yet."""
        issued = self._issued.get(folded(change.key.account.user_principal_name))
        return issued[1].password if issued else None

    def redacted(self, words: str) -> str:
        """Give *words* of a reply without any password of this run, should it echo one."""
        for password in self._drawn:
            words = words.replace(password.reveal(), "…")
        return words

    def finish(self, created: Iterable[Change]) -> Iterator[SealedFile]:
        """Make one file for each cohort of the credentials of accounts that may exist."""
        kept = {folded(change.key.account.user_principal_name) for change in created}
        by_cohort: defaultdict[CohortName, list[Credential]] = defaultdict(list)
        for name, (cohort, credential) in self._issued.items():
            credentials = by_cohort[cohort]
            if name in kept:
                credentials.append(credential)
        for cohort, credentials in sorted(by_cohort.items()):
            if credentials:
                path = self._vault.merge(cohort, credentials)
                yield SealedFile(cohort, path, len(credentials))
            else:
                self._vault.discard(cohort)

    def _credential(self, change: Change) -> Credential:
        values = {f.path: str(f.after) for f in change.fields if f.path in _NAMES}
        return Credential(
            name=values["displayName"],
            user_principal_name=change.key.account.user_principal_name,
            password=self._draw(values.values()),
        )
