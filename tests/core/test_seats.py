from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.model import Removal
from reconciler.seats import Seats, count_seats, seats_taken

if TYPE_CHECKING:
    from reconciler.model import DeclaredUser, Observed
    from tests.core.conftest import Given


def counts(
    given: Given, observed: Observed, *people: DeclaredUser, removal: Removal = Removal.DISABLE
) -> dict[str, tuple[int, int]]:
    """Give the seats that a plan takes and frees, by part number."""
    desired = given.desired(*people, file=replace(given.file, removal=removal))
    seats = count_seats(observed, given.changes(desired, observed))
    return {count.sku_part_number: (count.assigned, count.freed) for count in seats}


def test_assigned_and_freed(given: Given) -> None:
    """Joiners take seats and leavers free them, each SKU for itself."""
    observed = given.observed(given.account("bob", licenses=["SPE_E3", "FLOW_FREE"]))
    joiners = [given.person(name, licenses=["SPE_E5", "SPE_E3"]) for name in ("ada", "eve")]

    assert counts(given, observed, *joiners) == {"SPE_E3": (2, 1), "SPE_E5": (2, 0)}
    assert counts(given, observed, given.person("bob", licenses=["SPE_E3"])) == {}


def test_totals(given: Given) -> None:
    """Seats in their grace period count; what is left is told for after the plan."""
    sku = replace(given.sku("SPE_E5"), enabled=5, warning=2, consumed=6)
    observed = given.with_sku(given.observed(given.account("bob", licenses=["SPE_E5"])), sku)
    desired = given.desired(
        given.person("ada", licenses=["SPE_E5"]), given.person("bob"), given.person("eve")
    )
    (count,) = count_seats(observed, given.changes(desired, observed))

    assert count == Seats(sku.id, "SPE_E5", total=7, free=1, assigned=1, freed=1)
    assert count.free_after == 1


def test_deleting_frees_everything(given: Given) -> None:
    """A deleted account frees what is not managed too, and what groups gave it."""
    inherited = given.held("SPE_E5", through="Book club")
    observed = given.observed(given.account(licenses=["FLOW_FREE", inherited]))

    assert counts(given, observed) == {}
    assert counts(given, observed, removal=Removal.DELETE) == {
        "FLOW_FREE": (0, 1),
        "SPE_E5": (0, 1),
    }


def test_groups_give_and_take(given: Given) -> None:
    """Joining a group that gives a licence takes a seat, and leaving it frees one."""
    inherited = given.held("SPE_E5", through="Licensed")
    leaving = given.account("bob", licenses=[inherited], groups=["Licensed"])
    joining = given.person("ada", groups=["Licensed", "Lab"])

    assert counts(given, given.observed(leaving), joining, given.person("bob")) == {
        "SPE_E5": (1, 1)
    }


def test_one_seat_for_one_person(given: Given) -> None:
    """A licence held directly and through groups is one seat, whichever of them goes."""
    inherited = given.held("SPE_E5", through="Licensed")
    both = given.observed(given.account(licenses=["SPE_E5", inherited], groups=["Licensed"]))
    direct = given.observed(given.account(licenses=["SPE_E5"]))

    assert counts(given, both, given.person(licenses=["SPE_E5"])) == {}
    assert counts(given, both, given.person(groups=["Licensed"])) == {}
    assert counts(given, both, given.person()) == {"SPE_E5": (0, 1)}
    assert counts(given, direct, given.person(groups=["Licensed"])) == {}


def test_changing_plans_takes_no_seat(given: Given) -> None:
    """Switching parts of a licence off is nothing that is counted."""
    observed = given.observed(given.account(licenses=["SPE_E5"]))
    person = given.person(licenses=[given.license("SPE_E5", "TEAMS")])

    assert counts(given, observed, person) == {}


def test_inherited_in_error_is_no_seat(given: Given) -> None:
    """A licence that a group could not give occupies nothing."""
    failed = given.held("SPE_E5", through="Licensed", state="Error")
    observed = given.observed(given.account(licenses=[failed], groups=["Licensed"]))

    assert counts(given, observed, given.person()) == {}


def test_restoring_takes_the_old_seats(given: Given) -> None:
    """A restored account takes the seats of all that it held, once."""
    inherited = given.held("SPE_E5", through="Book club")
    deleted = given.account(licenses=["FLOW_FREE", "SPE_E3", inherited])
    observed = replace(given.observed(), deleted_users=(deleted,))

    assert counts(given, observed, given.person(licenses=["SPE_E3", "SPE_E5"])) == {
        "FLOW_FREE": (1, 0),
        "SPE_E3": (1, 0),
        "SPE_E5": (1, 0),
    }


def test_namesake_in_the_recycle_bin_holds_no_seat(given: Given) -> None:
    """What a deleted namesake held does not spare a new account its seat."""
    deleted = given.account(mark=None, licenses=["SPE_E5"])
    observed = replace(given.observed(), deleted_users=(deleted,))

    assert counts(given, observed, given.person(licenses=["SPE_E5"])) == {"SPE_E5": (1, 0)}


def test_who_takes_a_seat(given: Given) -> None:
    """Each seat that is taken is told with the change that takes it."""
    desired = given.desired(
        given.person("ada", licenses=["SPE_E5"]), given.person("bob", groups=["Licensed"])
    )
    observed = given.observed()
    taken = seats_taken(observed, given.changes(desired, observed))

    assert [(seat.sku_id, seat.change.key.address) for seat in taken] == [
        ("id-SPE_E5", "license/ada@contoso.com/SPE_E5"),
        ("id-SPE_E5", "membership/bob@contoso.com/id-Licensed"),
    ]
