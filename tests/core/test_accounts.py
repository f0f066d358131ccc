from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.changes import UserKey
from reconciler.diagnostics import Position
from reconciler.diff.accounts import mail_nickname
from reconciler.fields import FIELDS, Kind

if TYPE_CHECKING:
    from reconciler.model import FieldValue
    from tests.core.conftest import Given

TEXT_FIELDS = [f.name for f in FIELDS if f.kind in {Kind.TEXT, Kind.DATE}]


@pytest.mark.parametrize("name", TEXT_FIELDS)
def test_present_field_is_exact(given: Given, name: str) -> None:
    """A declared property that differs is changed, from what it is to what is declared."""
    desired = given.desired(given.person(fields={name: "FR"}))
    observed = given.observed(given.account(fields={name: "DE"}))

    assert given.told(desired, observed) == [f"4 ~ user/ada {name}=DE→FR"]


@pytest.mark.parametrize(
    ("name", "before", "cleared"),
    [
        ("department", "Research", None),
        ("employeeHireDate", "2026-04-01", None),
        ("otherMails", ("ada@home.example",), ()),
        ("otherMails", ("ada@home.example",), None),
    ],
    ids=["text", "date", "empty list", "list as null"],
)
def test_null_clears(given: Given, name: str, before: FieldValue, cleared: FieldValue) -> None:
    """A property declared null is cleared once, and is no difference afterwards."""
    desired = given.desired(given.person(fields={name: cleared}))
    (change,) = given.changes(desired, given.observed(given.account(fields={name: before})))

    assert [(f.path, f.before, f.after) for f in change.fields] == [(name, before, cleared)]
    assert given.told(desired, given.observed(given.account(fields={name: None}))) == []
    assert given.told(desired, given.observed(given.account(fields={name: ()}))) == (
        [] if name == "otherMails" else [f"4 ~ user/ada {name}=→None"]
    )


def test_absent_field_is_unmanaged(given: Given) -> None:
    """What a file does not mention may hold anything."""
    values: dict[str, FieldValue] = dict.fromkeys(TEXT_FIELDS, "anything")
    observed = given.observed(given.account(fields=values))

    assert given.told(given.desired(given.person()), observed) == []


@pytest.mark.parametrize(
    ("name", "declared", "held"),
    [
        ("usageLocation", "GB", "gb"),
        ("usageLocation", "gb", "GB"),
        ("otherMails", ("a@x.example", "b@x.example"), ("b@x.example", "a@x.example")),
        ("businessPhones", (), None),
        ("businessPhones", None, ()),
    ],
    ids=["lower case held", "lower case declared", "order", "null for empty", "empty for null"],
)
def test_equal_for_graph(given: Given, name: str, declared: FieldValue, held: FieldValue) -> None:
    """Values that Graph holds to be equal are no difference."""
    desired = given.desired(given.person(fields={name: declared}))

    assert given.told(desired, given.observed(given.account(fields={name: held}))) == []


def test_other_text_has_case(given: Given) -> None:
    """Only usageLocation is compared without case: a name is corrected."""
    desired = given.desired(given.person(fields={"surname": "McAdam"}))
    observed = given.observed(given.account(fields={"surname": "Mcadam"}))

    assert given.told(desired, observed) == ["4 ~ user/ada surname=Mcadam→McAdam"]


def test_several_fields_are_one_change(given: Given) -> None:
    """All that differs in an account is one change, its fields in the order of their names."""
    fields: dict[str, FieldValue] = {"jobTitle": "Lead", "city": "Paris", "state": "same"}
    desired = given.desired(given.person(fields=fields))
    observed = given.observed(given.account(fields={"state": "same"}))

    assert given.told(desired, observed) == ["4 ~ user/ada city=None→Paris jobTitle=None→Lead"]


def test_new_account(given: Given) -> None:
    """A new account is made with name, alias, sign-in and mark in one change, at its line."""
    fields: dict[str, FieldValue] = {"department": "Research", "city": None, "otherMails": ()}
    (change,) = given.changes(given.desired(given.person(fields=fields)), given.observed())

    assert {f.path: f.after for f in change.fields} == {
        "userPrincipalName": "ada@contoso.com",
        "accountEnabled": True,
        "department": "Research",
        "displayName": "Ada",
        "mailNickname": "ada",
        "mark": "us/beta",
    }
    assert [f.before for f in change.fields] == [None] * 6
    assert (change.fields[0].path, change.fields[-1].path) == ("userPrincipalName", "mark")
    assert (change.verb, change.key.account.id) == ("create", None)
    assert change.position == Position("cohorts/beta.yaml", 10)


def test_declared_values_win_over_derived_ones(given: Given) -> None:
    """What a file says of alias, display name and sign-in holds for a new account."""
    fields: dict[str, FieldValue] = {
        "accountEnabled": False,
        "displayName": "Countess",
        "mailNickname": "al",
    }
    (change,) = given.changes(given.desired(given.person(fields=fields)), given.observed())

    assert {f.path: f.after for f in change.fields}.items() >= fields.items()
    assert "signInSessions" not in [f.path for f in change.fields]


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("ada@contoso.com", "ada"),
        ("o'neill.x@contoso.com", "o'neill.x"),
        ("a#b#@contoso.com", "a_b_"),
        ("x" * 65 + "@contoso.com", "x" * 64),
    ],
    ids=["plain", "kept", "hash", "long"],
)
def test_alias(name: str, alias: str) -> None:
    """The alias of a new account is the local part of its name, as far as it may be."""
    assert mail_nickname(name) == alias


def test_names_have_no_case(given: Given) -> None:
    """An account is found whatever the case of its name, and keeps the one it has."""
    desired = given.desired(given.person("ADA@Contoso.COM", fields={"city": "Paris"}))
    (change,) = given.changes(desired, given.observed(given.account("ada")))

    assert change.verb == "update"
    assert change.key == UserKey(given.anybody("ada"))


def test_moved_to_another_cohort(given: Given) -> None:
    """Whoever moves to another cohort of ours gets its mark, and nothing else changes."""
    desired = given.desired(given.person(cohort="gamma"))

    assert given.told(desired, given.observed(given.account())) == [
        "4 ~ user/ada mark=us/beta→us/gamma"
    ]


@pytest.mark.parametrize("mark", ["them/beta", "a note", "us", "us/", "/beta", "US/beta"])
@pytest.mark.parametrize("adopt", [False, True], ids=["declared", "adopt"])
def test_foreign_account_is_not_touched(given: Given, mark: str, *, adopt: bool) -> None:
    """Whatever is in the attribute and is not our mark makes an account foreign."""
    person = given.person(
        adopt=adopt, fields={"city": "Paris"}, licenses=["SPE_E5"], groups=["Staff"]
    )
    observed = given.observed(given.account(mark=mark, licenses=["SPE_E3"]))

    assert given.told(given.desired(person), observed) == []


@pytest.mark.parametrize("mark", [None, ""], ids=["null", "empty"])
def test_unowned_account_is_not_touched(given: Given, mark: str | None) -> None:
    """An account without a mark is left alone as long as nobody says `adopt: true`."""
    person = given.person(fields={"city": "Paris"}, licenses=["SPE_E5"], roles=["Reader"])
    observed = given.observed(given.account(mark=mark, groups=["Staff"]))

    assert given.told(given.desired(person), observed) == []


def test_adopted_account_keeps_the_undeclared(given: Given) -> None:
    """Adopting writes the mark and what is declared, and takes nothing managed away."""
    person = given.person(adopt=True, fields={"city": "Paris"}, licenses=["SPE_E5"])
    observed = given.observed(
        given.account(
            mark=None,
            fields={"department": "Research"},
            licenses=["SPE_E3"],
            groups=["Staff"],
            roles=["Reader"],
        )
    )

    assert given.told(given.desired(person), observed) == [
        "4 > user/ada city=None→Paris mark=None→us/beta",
        "5 + license/ada/SPE_E5",
    ]


def test_adopted_account_is_ours(given: Given) -> None:
    """Once adopted, an account is updated, and keeps what is undeclared as long as it says so."""
    person = given.person(adopt=True, fields={"city": "Paris"})
    account = given.account(licenses=["SPE_E3"], groups=["Staff"], roles=["Reader"])

    assert given.told(given.desired(person), given.observed(account)) == [
        "4 ~ user/ada city=None→Paris"
    ]
    assert given.told(given.desired(replace(person, adopt=False)), given.observed(account)) == [
        "1 - roleAssignment/ada/id-Reader/",
        "2 - license/ada/SPE_E3",
        "2 - membership/ada/id-Staff",
        "4 ~ user/ada city=None→Paris",
    ]


def test_adopting_nobody_makes_nothing(given: Given) -> None:
    """With `adopt: true` an account that does not exist is not created."""
    person = given.person(adopt=True, licenses=["SPE_E5"])

    assert given.told(given.desired(person), given.observed()) == []


def test_blocking_revokes_sessions(given: Given) -> None:
    """Whoever is blocked is signed out too, and only then."""
    blocked = given.desired(given.person(fields={"accountEnabled": False}))
    unblocked = given.desired(given.person(fields={"accountEnabled": True}))
    enabled = given.observed(given.account())
    disabled = given.observed(given.account(fields={"accountEnabled": False}))

    assert given.told(blocked, enabled) == [
        "4 ~ user/ada accountEnabled=True→False signInSessions=valid→revoked"
    ]
    assert given.told(blocked, disabled) == []
    assert given.told(unblocked, disabled) == ["4 ~ user/ada accountEnabled=False→True"]


@pytest.mark.parametrize(
    ("mark", "adopt"), [("us/beta", False), (None, True)], ids=["ours", "adopted"]
)
def test_restored(given: Given, mark: str | None, *, adopt: bool) -> None:
    """A declared account in the recycle bin comes back, with what differs since."""
    person = given.person(
        adopt=adopt, fields={"city": "Paris"}, licenses=["SPE_E5"], groups=["Staff"]
    )
    deleted = given.account(mark=mark, licenses=["SPE_E5"])
    observed = replace(given.observed(), deleted_users=(deleted,))
    marked = "" if mark else " mark=None→us/beta"

    assert given.told(given.desired(person), observed) == [
        f"4 < user/ada city=None→Paris{marked}",
        "5 + membership/ada/id-Staff",
    ]
    assert {c.key.account for c in given.changes(given.desired(person), observed)} == {
        given.anybody("ada")
    }


def test_restored_though_nothing_differs(given: Given) -> None:
    """An account comes back even where nothing else is to do."""
    observed = replace(given.observed(), deleted_users=(given.account(),))

    assert given.told(given.desired(given.person()), observed) == ["4 < user/ada"]


@pytest.mark.parametrize("mark", [None, "them/x"], ids=["unmarked", "foreign"])
def test_namesake_stays_in_the_recycle_bin(given: Given, mark: str | None) -> None:
    """A deleted account that is not ours stays deleted, and a new one is made."""
    observed = replace(given.observed(), deleted_users=(given.account(mark=mark),))
    (change,) = given.changes(given.desired(given.person()), observed)

    assert (change.verb, change.key.account.id) == ("create", None)
