"""Who is in which group, by whichever costs less: paging the groups, or asking per person.

How large a group is, only its pages tell. So they are read until they have cost as much as
asking everybody would, which is never more than twice the cheaper of the two.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.graph.batching import SIZE
from reconciler.graph.errors import Meaning
from reconciler.graph.requests import Requests
from reconciler.graph.transport import page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kiota_abstractions.request_information import RequestInformation

    from reconciler.graph.decoding import Json
    from reconciler.graph.transport import Graph
    from reconciler.model import ObjectId


def goes_on_paging(spent: int, people: int, *, may_ask: bool) -> bool:
    """Whether the next pages of groups are read, rather than everybody asked.

    *spent* counts the round trips that pages have taken so far. *may_ask* is False where the
    identity may not ask per person.
    """
    return not may_ask or spent < _batches(people)


async def memberships(
    graph: Graph, groups: Iterable[ObjectId], people: Iterable[ObjectId], *, may_ask: bool
) -> Mapping[ObjectId, frozenset[ObjectId]]:
    """Give the groups, of *groups*, that each of *people* is a direct member of.

    Who is in none, or is not there at all, may be missing.
    """
    requests, everybody = Requests(graph.client), list(people)
    wanted = frozenset(groups) if everybody else frozenset()
    found: defaultdict[ObjectId, set[ObjectId]] = defaultdict(set)
    open_ = {group: requests.members(group) for group in sorted(wanted)}
    spent, followed = 0, set[str]()
    while open_ and goes_on_paging(spent, len(everybody), may_ask=may_ask):
        spent += _batches(len(open_))
        pages, open_ = await _next(graph, open_, requests.members, followed)
        for group, members in pages:
            for member in members:
                found[member["id"]].add(group)
    open_ = {person: requests.member_of(person) for person in everybody} if open_ else {}
    while open_:
        pages, open_ = await _next(graph, open_, requests.member_of, followed, may_be_gone=True)
        for person, containers in pages:
            found[person] |= wanted & {container["id"] for container in containers}
    return {person: frozenset(held) for person, held in found.items()}


async def _next(
    graph: Graph,
    open_: Mapping[ObjectId, RequestInformation],
    whole: Callable[[ObjectId], RequestInformation],
    followed: set[str],
    *,
    may_be_gone: bool = False,
) -> tuple[list[tuple[ObjectId, list[Json]]], dict[ObjectId, RequestInformation]]:
    """Read a page of each list; gives what is on them, and what asks for the pages after them.

    A list whose link expired is read again as a *whole*. A person may be gone, since an index
    may have told of them; a group that was found by its name may not.
    """
    pages: list[tuple[ObjectId, list[Json]]] = []
    following: dict[ObjectId, RequestInformation] = {}
    replies = await graph.read(list(open_.values()))
    for (key, info), reply in zip(open_.items(), replies, strict=True):
        meaning = reply.error and reply.error.meaning
        if meaning is Meaning.PAGE_EXPIRED:
            pages += [(key, items) for items in await graph.read_all([whole(key)])]
        elif meaning is not Meaning.NOT_THERE or not may_be_gone:
            items, link = page(reply)
            pages.append((key, items))
            if link:
                following[key] = graph.next_page(info, link, followed)
    return pages, following


def _batches(requests: int) -> int:
    return -(-requests // SIZE)
