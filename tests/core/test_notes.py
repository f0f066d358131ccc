from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.model import Removal, TenantFile

if TYPE_CHECKING:
    from reconciler.model import FieldValue, ObservedUser
    from tests.core.conftest import Given

HERE = "cohorts/beta.yaml:10:1: note:"


def test_nothing_to_note(given: Given) -> None:
    """A plan that leaves nothing alone has no notes."""
    person = given.person(licenses=["SPE_E5"])
    accounts = given.account(licenses=["SPE_E5", "FLOW_FREE"]), given.account("x", mark="them/x")

    assert given.notes(given.desired(person), given.observed(*accounts)) == []


@pytest.mark.parametrize("removal", list(Removal))
def test_kept_leaver(given: Given, removal: Removal) -> None:
    """A leaver whom `removal: keep` keeps is told of."""
    file = replace(given.file, removal=removal)
    told = [
        (
            "note: account 'ada@contoso.com' of cohort 'beta' is no longer declared; it is kept "
            "as it "
            "is\n  hint: `removal: disable` or `removal: delete` in the tenant file would take "
            "it back"
        )
    ]
    notes = given.notes(given.desired(file=file), given.observed(given.account()))

    assert notes == (told if removal is Removal.KEEP else [])


@pytest.mark.parametrize("mark", [None, "us/beta"], ids=["adopting", "adopted"])
def test_entitlements_of_the_adopted(given: Given, mark: str | None) -> None:
    """What an adopted account holds, managed and undeclared, is told of as kept."""
    person = given.person(adopt=True, licenses=["SPE_E3"], groups=["Lab"], roles=["Reader"])
    account = given.account(
        mark=mark,
        licenses=["SPE_E5", "SPE_E3", "FLOW_FREE"],
        groups=["Staff", "Lab", "Book club"],
        roles=["User Administrator", "Reader", "Guest Inviter"],
    )

    assert given.notes(given.desired(person), given.observed(account)) == [
        (
            f"{HERE} adopted account 'ada@contoso.com' holds what is managed and not declared: "
            "SPE_E5, Staff, User Administrator; it is kept\n"
            "  hint: declare it, or remove `adopt: true` from the entry to have it taken back"
        )
    ]
    nothing = given.account(mark=mark, licenses=["FLOW_FREE"])
    assert given.notes(given.desired(given.person(adopt=True)), given.observed(nothing)) == []


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        ("CountViolation", "buy or free a seat, then reprocess the license in the admin center"),
        (None, "see the person's licenses in the admin center"),
    ],
    ids=str,
)
def test_licence_that_does_not_work(given: Given, error: str | None, hint: str) -> None:
    """A licence that was given and never arrived is told of, as long as the files ask for it."""
    direct = replace(given.held("SPE_E5"), state="Error", error=error)
    inherited = replace(given.held("SPE_E3", through="Staff"), state="ActiveWithError", error=error)
    person = given.person(licenses=["SPE_E5"], groups=["Staff"])
    account = given.account(licenses=[direct, inherited], groups=["Staff"])
    here = HERE.replace("note:", "warning:")

    assert given.notes(given.desired(person), given.observed(account)) == [
        (
            f"{here} SPE_E3 that 'Staff' gives does not work for 'ada@contoso.com': Graph says "
            f"{error or 'ActiveWithError'}\n  hint: {hint}"
        ),
        (
            f"{here} SPE_E5 does not work for 'ada@contoso.com': Graph says {error or 'Error'}\n"
            f"  hint: {hint}"
        ),
    ]
    elsewhere = replace(account, groups=frozenset())
    assert given.notes(given.desired(given.person(adopt=True)), given.observed(elsewhere)) == [
        (
            f"{HERE} adopted account 'ada@contoso.com' holds what is managed and not declared: "
            "SPE_E5; it is kept\n"
            "  hint: declare it, or remove `adopt: true` from the entry to have it taken back"
        )
    ]


def test_licence_that_a_group_gives(given: Given) -> None:
    """A declared licence that is not assigned because a group gives it is told of."""
    inherited = given.held("SPE_E5", through="Book club")
    person = given.person(licenses=["SPE_E5", "NO_SUCH_SKU"])
    observed = given.observed(given.account(licenses=[inherited]))

    assert given.notes(given.desired(person), observed) == [
        f"{HERE} a group gives 'ada@contoso.com' SPE_E5 already; it is not assigned twice"
    ]
    both = given.observed(given.account(licenses=[inherited, "SPE_E5"]))
    assert given.notes(given.desired(person), both) == []


@pytest.mark.parametrize(
    ("held", "told"),
    [(("YAMMER", "SWAY", "TEAMS"), "SWAY, TEAMS"), (("YAMMER", "NEW"), "id-NEW"), ((), None)],
    ids=["named", "unknown to the SKU", "none"],
)
def test_plans_that_are_off(given: Given, held: tuple[str, ...], told: str | None) -> None:
    """Service plans that are off and not declared so are told of, and left."""
    license_ = given.license("SPE_E5", "YAMMER", "NO_SUCH_PLAN")
    person = given.person(licenses=[license_, "SPE_E3"])
    observed = given.observed(given.account(licenses=[given.held("SPE_E5", *held)]))
    note = (
        f"{HERE} SPE_E5 of 'ada@contoso.com' has more plans switched off than declared: {told}; "
        "left alone\n  hint: `disabledPlans: []` switches all of them on"
    )

    assert given.notes(given.desired(person), observed) == ([note] if told else [])


@pytest.mark.parametrize("adopt", [False, True], ids=["owned", "adopting"])
def test_blocked(given: Given, *, adopt: bool) -> None:
    """A declared person who cannot sign in is told of, unless the file says so."""
    account = given.account(fields={"accountEnabled": False}, mark=None if adopt else "us/beta")
    observed = given.observed(account)
    told = [
        (
            f"{HERE} sign-in of 'ada@contoso.com' is blocked; it stays blocked\n"
            "  hint: declare `accountEnabled: true` to let the person sign in again"
        )
    ]

    assert given.notes(given.desired(given.person(adopt=adopt)), observed) == told
    for says in (False, True):
        person = given.person(adopt=adopt, fields={"accountEnabled": says})
        assert given.notes(given.desired(person), observed) == []


def test_no_tenant_file(given: Given) -> None:
    """A run that nothing bounds says what it may do, and whose its marks are."""
    without = given.desired(given.person(), file=TenantFile())

    assert given.notes(without, given.observed()) == [
        (
            "warning: there is no tenant file: this run only creates and adds, in whatever tenant "
            "the credentials are of, and marks accounts as 'reconciler/…'\n"
            "  hint: write tenant.yaml beside the cohort files to say what this repository may "
            "touch"
        )
    ]
    assert given.notes(given.desired(given.person()), given.observed()) == []


def test_protected_names_that_nobody_has(given: Given) -> None:
    """A slip in a protected name, which would protect nobody, is told; a right one is not."""
    file = replace(given.file, protected=("BOB@contoso.com", "ID-bob", "breakglas\x1b"))
    observed = replace(given.observed(), people=(given.anybody("bob"),))

    assert given.notes(given.desired(file=file), observed) == [
        (
            r"cohorts/tenant.yaml:1:1: warning: 'breakglas\u{1b}' is protected, and no account "
            "has this name or id\n  hint: correct it under `guards.protected`, or remove it"
        )
    ]


def test_notes_on_others_accounts(given: Given) -> None:
    """Of accounts that are not ours nothing is noted: the guards refuse them."""
    account = given.account(mark="them/x", fields={"accountEnabled": False})

    assert given.notes(given.desired(given.person()), given.observed(account)) == []


def test_restored(given: Given) -> None:
    """What comes back with a restored account is told, and what stays as it was."""
    deleted = given.account(fields={"accountEnabled": False})
    observed = replace(given.observed(), deleted_users=(deleted,))

    assert given.notes(given.desired(given.person()), observed) == [
        (
            f"{HERE} account 'ada@contoso.com' comes back from the recycle bin with its old "
            f"password, "
            "memberships and licenses\n"
            "  hint: plan again after the apply: memberships cannot be read before the account "
            "is back"
        ),
        (
            f"{HERE} sign-in of 'ada@contoso.com' is blocked; it stays blocked\n"
            "  hint: declare `accountEnabled: true` to let the person sign in again"
        ),
    ]


@pytest.mark.parametrize(
    ("mark", "hint"),
    [
        (None, "\n  hint: add `adopt: true` to restore that account instead"),
        ("them/x", ""),
    ],
    ids=["unmarked", "foreign"],
)
def test_namesake(given: Given, mark: str | None, hint: str) -> None:
    """A deleted namesake who does not come back is told of, and how to have it back if at all."""
    observed = replace(given.observed(), deleted_users=(given.account(mark=mark),))

    assert given.notes(given.desired(given.person()), observed) == [
        (
            f"{HERE} a deleted account was called 'ada@contoso.com' too; it stays in the recycle "
            f"bin "
            f"and a new account is created{hint}"
        )
    ]
    with_account = replace(observed, users=(given.account(),))
    assert given.notes(given.desired(given.person()), with_account) == []
    adopting = given.desired(given.person(adopt=True))
    assert not any("new account" in note for note in given.notes(adopting, observed))


def privileged(name: str, where: str = "cohorts/beta.yaml:10:1: ") -> str:
    """Give the warning about somebody who holds a role."""
    return (
        f"{where}warning: '{name}@contoso.com' holds a directory role: Graph lets only a higher "
        "role change the sign-in, the phone numbers or the other mails\n"
        "  hint: the application needs such a role itself; see docs/permissions.md"
    )


@pytest.mark.parametrize(
    ("fields", "is_told"),
    [
        ({"accountEnabled": False}, True),
        ({"mobilePhone": "+44 1"}, True),
        ({"businessPhones": ("+44 1",)}, True),
        ({"otherMails": ("a@x.org",), "department": "Research"}, True),
        ({"department": "Research"}, False),
        ({"manager": "bob@contoso.com"}, False),
        ({"accountEnabled": True}, False),
        ({}, False),
    ],
    ids=["block", "mobile", "phones", "mails", "department", "manager", "no change", "nothing"],
)
@pytest.mark.parametrize("role", ["Reader", "Guest Inviter"], ids=["declared", "unmanaged"])
@pytest.mark.parametrize("adopt", [False, True], ids=["owned", "adopting"])
def test_privileged_target(
    given: Given, fields: dict[str, FieldValue], role: str, *, adopt: bool, is_told: bool
) -> None:
    """A change that Graph protects is warned of where its target holds and keeps a role."""
    roles = [role] if role == "Reader" else []
    desired = given.desired(given.person(fields=fields, roles=roles, adopt=adopt))
    mark = None if adopt else "us/beta"
    holder, other = given.account(mark=mark, roles=[role]), given.account(mark=mark)
    told = [privileged("ada")] if is_told else []

    def warnings(*accounts: ObservedUser) -> list[str]:
        observed = replace(given.observed(*accounts), people=(given.anybody("bob"),))
        return [note for note in given.notes(desired, observed) if "directory role" in note]

    assert warnings(holder) == told
    assert warnings(other) == []
    assert warnings() == []


def test_privileged_target_whose_role_goes_first(given: Given) -> None:
    """Who loses every role before the change is no privileged target; one that stays is enough."""
    desired = given.desired(given.person(fields={"mobilePhone": "+44 1"}))
    only, both = given.account(roles=["Reader"]), given.account(roles=["Reader", "Guest Inviter"])

    assert given.notes(desired, given.observed(only)) == []
    assert given.notes(desired, given.observed(both)) == [privileged("ada")]


@pytest.mark.parametrize("removal", list(Removal))
@pytest.mark.parametrize("enabled", [True, False], ids=["enabled", "blocked"])
def test_privileged_leaver(given: Given, removal: Removal, *, enabled: bool) -> None:
    """A leaver who keeps a role that is not managed is told of where blocked or deleted."""
    desired = given.desired(file=replace(given.file, removal=removal))
    fields: dict[str, FieldValue] = {"accountEnabled": enabled}
    accounts = [
        given.account("bob", roles=["Reader", "Guest Inviter"], fields=fields),
        given.account("eve", roles=["Reader"], fields=fields),
    ]
    notes = given.notes(desired, given.observed(*accounts))
    is_changed = removal is Removal.DELETE or (removal is Removal.DISABLE and enabled)

    assert [note for note in notes if "directory role" in note] == (
        [privileged("bob", "")] if is_changed else []
    )


def test_entitlements_of_the_privileged(given: Given) -> None:
    """To take a licence, a group or a role from somebody privileged is nothing to warn of."""
    account = given.account(
        licenses=["SPE_E5"], groups=["Staff"], roles=["Reader", "Guest Inviter"]
    )

    assert given.notes(given.desired(given.person()), given.observed(account)) == []
