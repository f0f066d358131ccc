from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import GraphFailed
from reconciler.graph.connection import connect
from reconciler.graph.memberships import goes_on_paging, memberships
from reconciler.model import ObjectId
from reconciler.sandbox.company.contoso import stable_id
from reconciler.sandbox.trouble.patterns import pattern
from reconciler.sandbox.trouble.settings import Rule, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from reconciler.sandbox.company.generating import Crowd
    from tests.graph.conftest import Tenant

    Named = Callable[[str, int], list[str]]
    Held = Mapping[ObjectId, frozenset[ObjectId]]

LARGE, SMALL, EMPTY = (ObjectId(stable_id(f"group {name}")) for name in ("Large", "Small", "Empty"))
NOBODY = ObjectId(stable_id("nobody"))


@pytest.mark.parametrize(
    ("spent", "people", "may_ask", "expected"),
    [
        (0, 1, True, True),
        (1, 1, True, False),
        (1, 20, True, False),
        (1, 21, True, True),
        (2, 21, True, False),
        (499, 10_000, True, True),
        (500, 10_000, True, False),
        (500, 1, False, True),
    ],
)
def test_when_paging_ends(spent: int, people: int, *, may_ask: bool, expected: bool) -> None:
    """Pages are read until they cost what asking everybody would, or for ever where one must."""
    assert goes_on_paging(spent, people, may_ask=may_ask) is expected


@given(st.integers(1, 200), st.integers(1, 2000))
def test_never_more_than_twice_the_cheaper_way(pages: int, people: int) -> None:
    """However many pages there turn out to be."""
    asking, spent = -(-people // 20), 0
    while spent < pages and goes_on_paging(spent, people, may_ask=True):
        spent += 1

    cost = spent if spent == pages else spent + asking

    assert cost <= 2 * min(pages, asking)


@pytest.fixture(scope="module")
def grouped(
    peopled: Callable[..., AbstractContextManager[Tenant]],
    crowd: Callable[..., Crowd],
    names: Named,
) -> Iterator[Tenant]:
    """Run a tenant with a group of three pages, one of half a page, and one of nobody."""
    everybody = names("p", 2500)
    groups = {"Large": everybody[:2400], "Small": everybody[10:500], "Empty": ()}
    with peopled(crowd("p", 2500), groups=groups) as tenant:
        yield tenant


def asked(
    tenant: Tenant, groups: Iterable[ObjectId], people: Iterable[str], *, may_ask: bool
) -> tuple[Held, list[str]]:
    """Ask who is in what; gives that, and the names of the collections that were read."""
    before = len(tenant.exchanges)
    ids = [ObjectId(stable_id(f"user {person}")) for person in people]

    async def ask() -> Held:
        async with connect("global", tenant.endpoints.environment) as graph:
            return await memberships(graph, groups, ids, may_ask=may_ask)

    held = asyncio.run(ask())
    paths = [e.path.partition("?")[0] for e in tenant.exchanges[before:] if not e.is_batch]
    return held, [path.rpartition("/")[2] for path in paths]


@pytest.mark.parametrize(
    ("number", "pages", "questions"), [(20, 3, 20), (25, 4, 25), (41, 5, 0), (0, 0, 0)]
)
def test_both_ways_tell_the_same(
    number: int, pages: int, questions: int, grouped: Tenant, names: Named
) -> None:
    """Whether groups are paged to the end or people are asked, who is in what is the same."""
    everybody = names("p", 2500)
    people = [*everybody[: number - number // 2], *everybody[2500 - number // 2 :]]

    by_pages, _ = asked(grouped, [LARGE, SMALL, EMPTY], people, may_ask=False)
    cheaper, paths = asked(grouped, [LARGE, SMALL, EMPTY], people, may_ask=True)

    for person in people:
        key = ObjectId(stable_id(f"user {person}"))
        assert cheaper.get(key, frozenset()) == by_pages.get(key, frozenset())
    assert (paths.count("members"), paths.count("memberOf")) == (pages, questions)


def test_who_has_gone_is_in_nothing(grouped: Tenant, names: Named) -> None:
    """An index may have told of somebody who is not there: no reason to end a plan."""
    held, _ = asked(grouped, [LARGE], [*names("p", 1), "gone@contoso.com"], may_ask=True)

    assert held[ObjectId(stable_id("user p1@contoso.com"))] == {LARGE}
    assert held.get(ObjectId(stable_id("user gone@contoso.com")), frozenset()) == frozenset()


def test_a_group_that_has_gone_is_an_error(grouped: Tenant, names: Named) -> None:
    """A failed read of a group is not absence of members."""
    with pytest.raises(GraphFailed, match="refused a read"):
        asked(grouped, [NOBODY], names("p", 1), may_ask=True)


def test_a_link_that_expired_loses_nobody(
    peopled: Callable[..., AbstractContextManager[Tenant]],
    crowd: Callable[..., Crowd],
    names: Named,
) -> None:
    """A group whose next page comes too late is read from its beginning."""
    everybody = names("p", 1500)
    fault = Rule(pattern("GET /groups/*/members"), nth=(2,), answer="expiredPageToken")
    trouble = Trouble(faults=(fault,))
    with peopled(crowd("p", 1500), groups={"Large": everybody}, trouble=trouble) as tenant:
        held, paths = asked(tenant, [LARGE], everybody, may_ask=True)

    assert [held[ObjectId(stable_id(f"user {p}"))] for p in everybody] == [{LARGE}] * 1500
    assert paths == ["members"] * 4
