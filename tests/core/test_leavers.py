from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.changes import Reason, is_removal
from reconciler.model import CohortName, Removal, TenantFile

if TYPE_CHECKING:
    from reconciler.model import ObservedUser
    from tests.core.conftest import Given


@pytest.fixture
def leaver(given: Given) -> ObservedUser:
    """Give an account of ours that holds managed and other entitlements."""
    return given.account(
        "bob",
        licenses=["SPE_E5", "FLOW_FREE", given.held("SPE_E3", through="Staff")],
        groups=["Staff", "Book club"],
        roles=["Reader", "Guest Inviter"],
    )


TAKEN_BACK = [
    "1 - roleAssignment/bob/id-Reader/",
    "2 - license/bob/SPE_E5",
    "2 - membership/bob/id-Staff",
]
BLOCKED = "user/bob accountEnabled=True→False signInSessions=valid→revoked"


@pytest.mark.parametrize(
    ("removal", "told"),
    [
        (Removal.KEEP, []),
        (Removal.DISABLE, [*TAKEN_BACK, f"3 ~ {BLOCKED}"]),
        (Removal.DELETE, [*TAKEN_BACK, f"3 - {BLOCKED}"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("others", [True, False], ids=["line deleted", "file deleted"])
def test_removal(
    given: Given, leaver: ObservedUser, removal: Removal, told: list[str], *, others: bool
) -> None:
    """Whoever is declared no more loses what `removal` says, roles first, the account last."""
    people = [given.person("ada")] if others else []
    desired = given.desired(*people, file=replace(given.file, removal=removal))
    accounts = [given.account("ada"), leaver] if others else [leaver]
    observed = given.observed(*accounts)

    assert given.told(desired, observed) == told
    assert all(is_removal(change) for change in given.changes(desired, observed))
    assert {c.reason for c in given.changes(desired, observed)} <= {Reason.USER_NOT_DECLARED}


def test_removal_has_no_line(given: Given, leaver: ObservedUser) -> None:
    """The changes of a leaver name the cohort of the mark, and no line: it is gone."""
    desired = given.desired(file=replace(given.file, removal=Removal.DELETE))
    changes = given.changes(desired, given.observed(leaver))

    assert {(change.cohort, change.position) for change in changes} == {("beta", None)}


@pytest.mark.parametrize(
    ("removal", "told"),
    [(Removal.DISABLE, []), (Removal.DELETE, ["3 - user/bob"])],
    ids=["disable", "delete"],
)
def test_blocked_leaver(given: Given, removal: Removal, told: list[str]) -> None:
    """Whoever is blocked already is not blocked again; deleting is still to do."""
    desired = given.desired(file=replace(given.file, removal=removal))
    account = given.account("bob", fields={"accountEnabled": False})

    assert given.told(desired, given.observed(account)) == told


def test_deleted_line_takes_managed_entitlements_back(given: Given, leaver: ObservedUser) -> None:
    """Of a person who stays, what is managed and no longer declared goes; the rest is kept."""
    desired = given.desired(given.person("bob"), file=replace(given.file, removal=Removal.DELETE))
    changes = given.changes(desired, given.observed(leaver))

    assert given.told(desired, given.observed(leaver)) == TAKEN_BACK
    assert {change.reason for change in changes} == {Reason.NOT_DECLARED}


@pytest.mark.parametrize("mark", [None, "", "them/beta", "us", "Us/beta"])
@pytest.mark.parametrize("removal", list(Removal))
def test_account_of_others_is_no_leaver(
    given: Given, leaver: ObservedUser, mark: str | None, removal: Removal
) -> None:
    """An account that does not carry our mark is not ours to remove."""
    desired = given.desired(file=replace(given.file, removal=removal))

    assert given.told(desired, given.observed(replace(leaver, mark=mark))) == []


def test_without_a_tenant_file_nothing_goes(given: Given, leaver: ObservedUser) -> None:
    """The tool is additive without a tenant file: nothing is managed and nobody removed."""
    account = replace(leaver, mark="reconciler/beta")
    additive = given.desired(given.person("bob", groups=["Lab"]), file=TenantFile())

    assert given.told(given.desired(file=TenantFile()), given.observed(account)) == []
    assert given.told(additive, given.observed(account)) == ["5 + membership/bob/id-Lab"]


def test_scope(given: Given) -> None:
    """With files named, only people whose mark names their cohorts can be declared no more."""
    file = replace(given.file, removal=Removal.DELETE)
    observed = given.observed(given.account("ann"), given.account("gus", mark="us/gamma"))
    everything = given.desired(file=file)
    only_beta = replace(everything, scope=frozenset({CohortName("beta")}))
    nothing = replace(everything, scope=frozenset[CohortName]())

    blocked = "accountEnabled=True→False signInSessions=valid→revoked"
    assert given.told(only_beta, observed) == [f"3 - user/ann {blocked}"]
    assert given.told(nothing, observed) == []
    assert given.told(everything, observed) == [
        f"3 - user/ann {blocked}",
        f"3 - user/gus {blocked}",
    ]


def test_nobody_has_left_while_a_file_cannot_be_read(given: Given) -> None:
    """Whom an unreadable file declares nobody knows, so a narrow run removes nobody and says so."""
    file = replace(given.file, removal=Removal.DELETE)
    scoped = replace(given.desired(file=file), scope=frozenset({CohortName("beta")}))
    unread = replace(scoped, unread=("cohorts/broken.yaml",))
    observed = given.observed(given.account("ada"))

    assert given.told(unread, observed) == []
    assert given.notes(unread, observed) == [
        (
            "warning: 'cohorts/broken.yaml' cannot be read, so nobody is taken for having left\n"
            "  hint: mend it: `reconciler validate` says what is wrong"
        )
    ]


def test_people_declared_in_other_files_have_not_left(given: Given) -> None:
    """With files named, a person whom a file that is not named declares is no leaver."""
    file = replace(given.file, removal=Removal.DELETE)
    scoped = replace(given.desired(file=file), scope=frozenset({CohortName("beta")}))
    moved = replace(scoped, elsewhere=frozenset({"ada@contoso.com"}))
    observed = given.observed(given.account("ADA"))

    blocked = "accountEnabled=True→False signInSessions=valid→revoked"
    assert given.told(scoped, observed) == [f"3 - user/ada {blocked}"]
    assert given.told(moved, observed) == []


@pytest.mark.parametrize("adopt", [False, True], ids=["owned", "adopting"])
def test_blocking_somebody_who_stays_is_a_removal(given: Given, *, adopt: bool) -> None:
    """Whoever is declared and may sign in no more loses something; a joiner never had it."""
    mark = None if adopt else "us/beta"
    for says, was in ((False, True), (True, False)):
        person = given.person(adopt=adopt, fields={"accountEnabled": says})
        observed = given.observed(given.account(mark=mark, fields={"accountEnabled": was}))
        (change,) = given.changes(given.desired(person), observed)
        assert is_removal(change) is not says
    joiner = given.desired(given.person(fields={"accountEnabled": False}))
    (create,) = given.changes(joiner, given.observed())
    assert not is_removal(create)


def test_declared_people_are_in_scope(given: Given) -> None:
    """A declared person is considered, whichever cohort the mark names."""
    desired = replace(given.desired(given.person()), scope=frozenset({CohortName("beta")}))

    assert given.told(desired, given.observed(given.account(mark="us/gamma"))) == [
        "4 ~ user/ada mark=us/gamma→us/beta"
    ]
