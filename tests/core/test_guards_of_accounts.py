from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.model import Removal, TenantFile

if TYPE_CHECKING:
    from reconciler.model import FieldValue
    from tests.core.conftest import Given


def test_account_without_a_mark(given: Given) -> None:
    """An account that exists and is nobody's is refused, unless it is to be adopted."""
    observed = given.observed(given.account(mark=None))

    assert given.refusals(given.desired(given.person()), observed) == [
        (
            "cohorts/beta.yaml:10:1: error: account 'ada@contoso.com' exists already and is not "
            "owned "
            "by this repository\n"
            "  hint: add `adopt: true` to the entry to take it over, or choose another "
            "userPrincipalName"
        )
    ]
    assert given.refusals(given.desired(given.person(adopt=True)), observed) == []


@pytest.mark.parametrize("adopt", [False, True], ids=["declared", "adopt"])
def test_foreign_mark(given: Given, *, adopt: bool) -> None:
    """An account that carries another's mark is refused, adopting or not."""
    observed = given.observed(given.account(mark="them/x\n"))

    assert given.refusals(given.desired(given.person(adopt=adopt)), observed) == [
        (
            "cohorts/beta.yaml:10:1: error: account 'ada@contoso.com' carries a foreign mark: "
            r"extensionAttribute15 is 'them/x\u{a}'"
            "\n  hint: if it is another repository's, that one must clear extensionAttribute15 "
            "first; if it was ours, correct `source:` in the tenant file"
        )
    ]


def test_nobody_to_adopt(given: Given) -> None:
    """Adopting an account that does not exist is refused; one in the recycle bin comes back."""
    desired = given.desired(given.person(adopt=True))
    bin_of_ours = replace(given.observed(), deleted_users=(given.account(mark=None),))
    bin_of_theirs = replace(given.observed(), deleted_users=(given.account(mark="them/x"),))

    assert given.refusals(desired, given.observed()) == [
        (
            "cohorts/beta.yaml:10:1: error: no account 'ada@contoso.com' exists to adopt\n"
            "  hint: correct userPrincipalName, or remove `adopt: true` to create the account"
        )
    ]
    assert given.refusals(desired, bin_of_ours) == []
    assert given.refusals(desired, bin_of_theirs) == [
        (
            "cohorts/beta.yaml:10:1: error: account 'ada@contoso.com' carries a foreign mark: "
            "extensionAttribute15 is 'them/x'\n  hint: if it is another repository's, that one "
            "must clear extensionAttribute15 first; if it was ours, correct `source:` in the "
            "tenant file"
        )
    ]


@pytest.mark.parametrize(
    ("synced", "state"), [(True, "is"), (False, "was once")], ids=["synced", "once synced"]
)
@pytest.mark.parametrize("mark", [None, "us/gamma"], ids=["adopted", "moved"])
def test_mark_of_a_synced_account(
    given: Given, *, synced: bool, state: str, mark: str | None
) -> None:
    """ExtensionAttributes cannot be written on accounts that are or were synced."""
    desired = given.desired(given.person(adopt=True))
    observed = given.observed(given.account(mark=mark, synced=synced))
    extension = replace(desired.tenant_file, ownership="extension_0123abcd_owner")

    assert given.refusals(desired, observed) == [
        (
            f"cohorts/beta.yaml:10:1: error: account 'ada@contoso.com' {state} synced from "
            "on-premises: extensionAttribute15 cannot be changed\n"
            "  hint: use a directory extension (`ownership: extension_<appId>_<name>`) in the "
            "tenant "
            "file"
        )
    ]
    assert given.refusals(replace(desired, tenant_file=extension), observed) == []


def test_profile_of_a_synced_account(given: Given) -> None:
    """What Active Directory is the authority for is refused; licence and groups are not."""
    fields: dict[str, FieldValue] = {
        "city": "Bath",
        "accountEnabled": False,
        "usageLocation": "FR",
        "manager": None,
    }
    person = given.person(fields=fields, licenses=["SPE_E5"], groups=["Staff"], roles=["Reader"])
    account = given.account(synced=True, manager=given.anybody("bob"))
    start = "error: account 'ada@contoso.com' is synced from on-premises:"
    hint = "can only be changed there\n  hint: change it in Active Directory and leave it out of"

    assert given.refusals(given.desired(person), given.observed(account)) == [
        f"cohorts/beta.yaml:10:1: {start} accountEnabled, city {hint} the cohort file",
        f"cohorts/beta.yaml:10:20: {start} manager {hint} the cohort file",
    ]
    once = replace(account, on_premises_sync_enabled=False)
    assert given.refusals(given.desired(person), given.observed(once)) == []


def test_leaver_who_is_synced(given: Given) -> None:
    """A synced leaver cannot be blocked here; the tenant file's `removal` asks for it."""
    file = replace(given.file, removal=Removal.DISABLE)

    assert given.refusals(given.desired(file=file), given.observed(given.account(synced=True))) == [
        (
            "cohorts/tenant.yaml:1:1: error: account 'ada@contoso.com' is synced from on-premises: "
            "accountEnabled can only be changed there\n"
            "  hint: change it in Active Directory and leave it out of the cohort file"
        )
    ]


PROTECTED = "is protected: no plan may change it"
LEAVE_IT = (
    "  hint: leave it out of the cohort files, or take it off `guards.protected` in the tenant file"
)


@pytest.mark.parametrize("protected", ["ADA@contoso.com", "ID-ada"], ids=["name", "id"])
def test_protected_account(given: Given, protected: str) -> None:
    """No cohort may declare a protected account, with or without a change to it."""
    file = replace(given.file, protected=("bob@contoso.com", protected))
    changed = given.person(fields={"city": "Bath"}, groups=["Staff"], adopt=True)
    told = f"cohorts/beta.yaml:10:1: error: account 'ada@contoso.com' {PROTECTED}\n{LEAVE_IT}"

    for mark in ("us/beta", "them/x", None):
        observed = given.observed(given.account(mark=mark))
        for person in (changed, given.person()):
            assert given.refusals(given.desired(person, file=file), observed) == [told]
    others = given.observed(given.account(), given.account("eve"))
    assert given.refusals(given.desired(given.person("eve"), file=file), others) == []


def test_protected_name_that_nobody_has(given: Given) -> None:
    """A protected name is not to be created either."""
    file = replace(given.file, protected=("ada@contoso.com",))
    desired = given.desired(given.person(), file=file)

    assert given.refusals(desired, given.observed()) == [
        f"cohorts/beta.yaml:10:1: error: account 'ada@contoso.com' {PROTECTED}\n{LEAVE_IT}"
    ]


@pytest.mark.parametrize("protected", ["ADA@contoso.com", "ID-ada"], ids=["name", "id"])
def test_protected_leaver(given: Given, protected: str) -> None:
    """A protected account whose entry is gone is refused at the tenant file, if it would change."""
    file = replace(given.file, protected=(protected,), removal=Removal.DELETE)
    observed = given.observed(given.account(groups=["Staff"]))
    kept = replace(file, removal=Removal.KEEP)

    assert given.refusals(given.desired(file=file), observed) == [
        f"cohorts/tenant.yaml:1:1: error: account 'ada@contoso.com' {PROTECTED}\n{LEAVE_IT}"
    ]
    assert given.refusals(given.desired(file=kept), observed) == []


def test_foreign_mark_without_a_tenant_file(given: Given) -> None:
    """Where no tenant file is read, its absence may be why our own mark looks foreign."""
    desired = given.desired(given.person(), file=TenantFile())

    assert given.refusals(desired, given.observed(given.account())) == [
        (
            "cohorts/beta.yaml:10:1: error: account 'ada@contoso.com' carries a foreign mark: "
            "extensionAttribute15 is 'us/beta'\n  hint: without a tenant file this repository's "
            "own marks cannot be told: is tenant.yaml missing?"
        )
    ]
