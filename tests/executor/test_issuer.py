"""Passwords from the moment they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.changes import Create, FieldChange, UserKey, Wave
from reconciler.credentials import Password, Vault
from reconciler.executor.issuer import Issuer
from reconciler.model import Account, CohortName, UserPrincipalName
from reconciler.sandbox.company.contoso import AGE_RECIPIENT

if TYPE_CHECKING:
    from pathlib import Path

BETA = CohortName("beta")


def joiner(name: str) -> Create:
    """Give the change that creates an account."""
    account = Account(UserPrincipalName(f"{name}@contoso.com"))
    fields = (FieldChange("displayName", None, name.title()),)
    return Create(UserKey(account), BETA, Wave.USERS, fields)


def test_words_are_redacted_of_every_password(tmp_path: Path) -> None:
    """Whichever password of the run a reply echoes, and however often, it is cut out."""
    words = iter(("kk#3KKone", "kk#3KKtwo"))
    vault = Vault(tmp_path, {BETA: (AGE_RECIPIENT,)})
    issuer = Issuer(vault, lambda _: Password(next(words)), lambda *_: None)
    before = issuer.redacted("kk#3KKone is drawn later")

    issuer.issue([joiner("ada"), joiner("bob")])

    assert before == "kk#3KKone is drawn later"
    assert issuer.redacted("kk#3KKone, 'kk#3KKtwo', kk#3KKone: kk#3KK") == "…, '…', …: kk#3KK"
    assert issuer.redacted("nothing of the kind") == "nothing of the kind"
