from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.model import (
    Removal,
    RemovalLimit,
)

if TYPE_CHECKING:
    from reconciler.model import FieldValue, LicenseState
    from tests.core.conftest import Given

GB: dict[str, FieldValue] = {"usageLocation": "GB"}


def test_usage_location(given: Given) -> None:
    """A licence needs a usage location, declared or there already."""
    person = given.person(licenses=["SPE_E5"])
    located = given.person(licenses=["SPE_E5"], fields=GB)
    nowhere = given.account(fields={"usageLocation": None})
    told = [
        (
            "cohorts/beta.yaml:4:1: error: 'ada@contoso.com' has no usageLocation, so SPE_E5 "
            "cannot "
            "be assigned\n"
            "  hint: add `usageLocation:` (a two-letter country code) to the person or to "
            "`defaults:`"
        )
    ]

    assert given.refusals(given.desired(person), given.observed()) == told
    assert given.refusals(given.desired(person), given.observed(nowhere)) == told
    assert given.refusals(given.desired(person), given.observed(given.account())) == []
    assert given.refusals(given.desired(located), given.observed()) == []
    assert given.refusals(given.desired(located), given.observed(nowhere)) == []


def test_usage_location_of_the_deleted(given: Given) -> None:
    """A restored account brings its usage location back, a deleted namesake lends none."""
    desired = given.desired(given.person(licenses=["SPE_E5"]))
    ours = replace(given.observed(), deleted_users=(given.account(),))
    nobodys = replace(given.observed(), deleted_users=(given.account(mark=None),))

    assert given.refusals(desired, ours) == []
    assert [text.partition("\n")[0] for text in given.refusals(desired, nobodys)] == [
        (
            "cohorts/beta.yaml:4:1: error: 'ada@contoso.com' has no usageLocation, so SPE_E5 "
            "cannot "
            "be assigned"
        )
    ]


def test_usage_location_of_who_has_the_licence(given: Given) -> None:
    """Changing plans of a licence that is held asks for no location."""
    desired = given.desired(given.person(licenses=[given.license("SPE_E5", "TEAMS")]))
    account = given.account(licenses=["SPE_E5"], fields={"usageLocation": None})

    assert given.refusals(desired, given.observed(account)) == []


@pytest.mark.parametrize(
    ("status", "applies_to"),
    [("Suspended", "User"), ("LockedOut", "User"), ("Deleted", "User"), ("Enabled", "Company")],
)
def test_licence_that_nobody_can_have(given: Given, status: str, applies_to: str) -> None:
    """A subscription that is not assignable is refused once, and can still be taken back."""
    sku = replace(given.sku("SPE_E5"), capability_status=status, applies_to=applies_to)
    observed = given.with_sku(given.observed(given.account("eve", licenses=["SPE_E5"])), sku)
    people = [given.person(name, licenses=["SPE_E5"], fields=GB) for name in ("ada", "bob")]

    assert given.refusals(given.desired(*people, given.person("eve")), observed) == [
        (
            "cohorts/beta.yaml:4:1: error: license SPE_E5 cannot be assigned to anybody: it is "
            f"{status}, for {applies_to}\n"
            "  hint: renew the subscription, or ask for another license"
        )
    ]
    assert given.refusals(given.desired(given.person("eve")), observed) == []


def test_too_few_seats(given: Given) -> None:
    """Who is left out is told in the order of declaration; freed seats count.

    One is freed by a swap, one by a leaver and one by leaving a group that gives it.
    """
    sku = replace(given.sku("SPE_E5"), enabled=3, warning=1, consumed=4)
    inherited: LicenseState = given.held("SPE_E5", through="Licensed")
    accounts = [
        given.account("swap", licenses=["SPE_E5"]),
        given.account("gone", licenses=["SPE_E5"]),
        given.account("left", licenses=[inherited], groups=["Licensed"]),
    ]
    names = ["zoe", "yan", "xia", "wim", "vic"]
    people = [
        given.person(name, line=20 + i, licenses=["SPE_E5"], fields=GB)
        for i, name in enumerate(names[:-1])
    ]
    people.append(given.person("vic", line=30, groups=["Licensed"]))
    staying = [given.person("swap", licenses=["SPE_E3"]), given.person("left")]
    limits = RemovalLimit(minimum=100)
    file = replace(given.file, removal=Removal.DISABLE, removals=limits)
    desired = given.desired(*reversed(people), *staying, file=file)

    assert given.refusals(desired, given.with_sku(given.observed(*accounts), sku)) == [
        (
            "cohorts/beta.yaml:4:1: error: too few seats of SPE_E5: 5 needed, 0 free, 3 freed by "
            "this "
            "plan, 2 short; left out: wim@contoso.com, vic@contoso.com\n"
            "  hint: buy 2 seats, or take the license from as many people"
        )
    ]
    enough = replace(sku, enabled=5)
    assert given.refusals(desired, given.with_sku(given.observed(*accounts), enough)) == []


def test_more_seats_in_use_than_there_are(given: Given) -> None:
    """Seats that were taken away while in use have to be bought as well."""
    sku = replace(given.sku("SPE_E5"), enabled=1, consumed=3)
    desired = given.desired(given.person(licenses=["SPE_E5"], fields=GB))
    freeing = given.desired(given.person("bob"))
    accounts = given.observed(given.account("bob", licenses=["SPE_E5"]))

    assert given.refusals(desired, given.with_sku(given.observed(), sku)) == [
        (
            "cohorts/beta.yaml:4:1: error: too few seats of SPE_E5: 1 needed, 0 free, 0 freed by "
            "this "
            "plan, 1 short; left out: ada@contoso.com\n"
            "  hint: buy 3 seats, or take the license from as many people"
        )
    ]
    assert given.refusals(freeing, given.with_sku(accounts, sku)) == []


@pytest.mark.parametrize(
    "person",
    [
        {"licenses": ["SPE_E5"]},
        {"groups": ["Licensed"]},
        {"licenses": ["SPE_E5"], "groups": ["Lab"]},
        {},
    ],
    ids=["direct", "through a group", "direct in place of a group", "undeclared"],
)
@pytest.mark.parametrize("through", [None, "Licensed"], ids=["held direct", "held through"])
def test_what_comes_back_needs_no_seat(
    given: Given, person: dict[str, list[str]], through: str | None
) -> None:
    """What a restored account held comes back where no seat is free, by whatever way."""
    full = replace(given.sku("SPE_E5"), enabled=1, consumed=1)
    deleted = given.account(licenses=[given.held("SPE_E5", through=through)])
    observed = replace(given.with_sku(given.observed(), full), deleted_users=(deleted,))
    restored = given.person(**person)  # type: ignore[arg-type]  # one of several

    assert given.refusals(given.desired(restored), observed) == []


def test_what_comes_back_needs_no_subscription(given: Given) -> None:
    """A restored account comes back with a licence that nobody can be given any more."""
    suspended = replace(given.sku("SPE_E5"), capability_status="Suspended")
    deleted = given.account(licenses=["SPE_E5"])
    observed = replace(given.with_sku(given.observed(), suspended), deleted_users=(deleted,))

    assert given.refusals(given.desired(given.person(licenses=["SPE_E5"])), observed) == []


@pytest.mark.parametrize(
    ("enabled", "told"),
    [
        (4, None),
        (3, "0 freed by this plan, 1 short; left out: cyd@contoso.com\n  hint: buy 1 seat,"),
        (
            2,
            (
                "0 freed by this plan, 2 short; left out: bob@contoso.com, cyd@contoso.com\n"
                "  hint: buy 2 seats,"
            ),
        ),
        (
            0,
            (
                "0 freed by this plan, 2 short; left out: bob@contoso.com, cyd@contoso.com\n"
                "  hint: buy 4 seats,"
            ),
        ),
    ],
    ids=["enough", "one short", "two short", "even for those who come back"],
)
def test_seats_that_come_back_are_lacking(given: Given, enabled: int, told: str | None) -> None:
    """The seats of restored accounts are taken first; left out are only the others."""
    sku = replace(given.sku("SPE_E5"), enabled=enabled)
    deleted = tuple(given.account(name, licenses=["SPE_E5"]) for name in ("yan", "zoe"))
    observed = replace(given.with_sku(given.observed(), sku), deleted_users=deleted)
    people = [
        given.person(name, line=20 + i, licenses=["SPE_E5"], fields=GB)
        for i, name in enumerate(["bob", "yan", "cyd", "zoe"])
    ]
    start = f"cohorts/beta.yaml:4:1: error: too few seats of SPE_E5: 4 needed, {enabled} free, "
    end = " or take the license from as many people"

    assert given.refusals(given.desired(*people), observed) == (
        [f"{start}{told}{end}"] if told else []
    )
