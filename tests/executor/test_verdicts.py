from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.changes import (
    Change,
    Create,
    Delete,
    LicenseKey,
    MembershipKey,
    Restore,
    RoleAssignmentKey,
    Update,
    UserKey,
    Wave,
)
from reconciler.executor.looking import (
    LOOKS,
    LOOKS_WHERE_TAKEN,
    Absent,
    Found,
    LookAgain,
    Taken,
    Unknown,
    judge_look,
)
from reconciler.executor.verdicts import (
    SWAP_TRIES,
    THROTTLED_TRIES,
    TRIES,
    UNHEARD,
    Again,
    AnotherPassword,
    Done,
    History,
    LookUp,
    Refusal,
    Split,
    judge,
)
from reconciler.graph.errors import GraphError
from reconciler.graph.operations import Operation
from reconciler.graph.reply import Reply
from reconciler.graph.transport import NoAnswer
from reconciler.model import Account, CohortName, ObjectId, UserPrincipalName

ADA = Account(UserPrincipalName("ada@contoso.com"), ObjectId("ada-id"))
BETA = CohortName("beta")
USER, STAFF = UserKey(ADA), MembershipKey(ADA, ObjectId("staff-id"), "Staff")
E5 = LicenseKey(ADA, ObjectId("e5"), "SPE_E5")
E3 = LicenseKey(ADA, ObjectId("e3"), "SPE_E3")
ROLE = RoleAssignmentKey(ADA, ObjectId("role-id"), "Reader")


def of(*changes: Change) -> Operation:
    """Put changes in one operation."""
    return Operation(changes, "lane")


NEW = of(Create(USER, BETA, Wave.USERS))
OLD = of(Update(USER, BETA, Wave.USERS))
BACK = of(Restore(USER, BETA, Wave.USERS))
GOING = of(Delete(USER, BETA, Wave.LEAVERS))
JOIN = of(Create(STAFF, BETA, Wave.ENTITLEMENTS))
JOINS = of(*JOIN.changes, *JOIN.changes)
LEAVE = of(Delete(STAFF, BETA, Wave.REVOKE_ENTITLEMENTS))
LICENSE = of(Create(E5, BETA, Wave.ENTITLEMENTS))
LICENSES = of(*LICENSE.changes, Create(E3, BETA, Wave.ENTITLEMENTS))
TAKEN_BACK = of(Delete(E5, BETA, Wave.ENTITLEMENTS))
SWAP = of(*LICENSE.changes, Delete(E3, BETA, Wave.ENTITLEMENTS))
GIVE_ROLE = of(Create(ROLE, BETA, Wave.ROLES))


def refusal(status: int, message: str = "", code: str = "Request_BadRequest") -> Reply:
    """Give an error; by default one that only its words tell."""
    return Reply(status, {}, {"error": {"code": code, "message": message}})


MEMBER = refusal(400, "added object references already exist")
CONFLICT = refusal(400, "A conflicting object with one or more of the specified property values")
NO_LINK = refusal(400, "removed object references do not exist")
NOT_HELD = refusal(400, "User does not have a corresponding license.")
NAME = refusal(400, "same value for property userPrincipalName already exists.")
WEAK = refusal(400, "does not comply with password complexity requirements")
SEATS = refusal(400, "does not have any available licenses.")
LOCATION = refusal(400, "cannot be done for user with invalid usage location")
GONE = refusal(404)
SLOW = Reply(429, {"retry-after": "7"}, None)
DOWN = refusal(503)
BUSY = Reply(503, {"retry-after": "9"}, None)
DENIED = refusal(403)
OK = Reply(204, {}, None)
MADE, MUTE = Reply(201, {}, {"id": "ada-id"}), Reply(201, {}, ["?"])
LOST = NoAnswer("ReadTimeout")

NOW = History()
AGAIN = History(ambiguous=True)
FRESH = History(fresh=True)
TWICE = History(tries=2)
LAST = History(tries=TRIES, seats_expected=True)
THERE, AWAY = "it was there already", "it was gone already"


def no(reply: Reply) -> Refusal:
    """Give the refusal that repeats *reply*."""
    assert reply.error
    return Refusal(reply.error)


TABLE = {
    "carried out": (JOIN, OK, NOW, Done(OK)),
    "created": (NEW, MADE, NOW, Done(MADE)),
    "created, and not told which": (NEW, OK, NOW, LookUp()),
    "created, and told nonsense": (NEW, MUTE, NOW, LookUp()),
    "created, and told no id": (NEW, Reply(201, {}, {"id": None}), NOW, LookUp()),
    "too fast": (JOIN, SLOW, NOW, Again(7.0)),
    "too fast, after many tries of another kind": (JOIN, SLOW, LAST, Again(7.0)),
    "too fast for ever": (JOIN, SLOW, History(throttled=THROTTLED_TRIES), no(SLOW)),
    "a creation in trouble": (NEW, DOWN, NOW, LookUp()),
    "a creation in trouble for ever": (NEW, DOWN, LAST, LookUp()),
    "a creation in trouble, and says how long": (NEW, BUSY, NOW, LookUp(9.0)),
    "a creation without an answer": (NEW, LOST, LAST, LookUp()),
    "in trouble": (JOIN, DOWN, NOW, Again(ambiguous=True)),
    "in trouble, and says how long": (JOIN, BUSY, NOW, Again(9.0, ambiguous=True)),
    "in trouble for ever": (JOIN, DOWN, LAST, no(DOWN)),
    "no answer": (JOIN, LOST, NOW, Again(ambiguous=True)),
    "never an answer": (JOIN, LOST, LAST, Refusal(GraphError(0, "NoAnswer", "ReadTimeout"))),
    "not arrived everywhere": (LICENSE, LOCATION, NOW, Again()),
    "never arrived": (LICENSE, LOCATION, LAST, no(LOCATION)),
    "no seats": (LICENSE, SEATS, NOW, no(SEATS)),
    "no seats yet": (LICENSE, SEATS, History(seats_expected=True), Again()),
    "no seats for a swap yet": (SWAP, SEATS, History(seats_expected=True), Again()),
    "each waits for the other": (
        SWAP,
        SEATS,
        History(tries=SWAP_TRIES, seats_expected=True),
        Split(),
    ),
    "two licences wait": (
        LICENSES,
        SEATS,
        History(tries=SWAP_TRIES, seats_expected=True),
        Again(),
    ),
    "no seats in the end": (LICENSE, SEATS, LAST, no(SEATS)),
    "new account not visible": (LICENSE, GONE, FRESH, Again()),
    "new accounts not visible": (JOINS, GONE, FRESH, Again()),
    "account gone": (LICENSE, GONE, NOW, no(GONE)),
    "weak password": (NEW, WEAK, NOW, AnotherPassword()),
    "weak password again": (NEW, WEAK, History(new_password=True), no(WEAK)),
    "name taken": (NEW, NAME, NOW, LookUp(is_taken=True)),
    "address taken": (NEW, CONFLICT, NOW, no(CONFLICT)),
    "member already": (JOIN, MEMBER, NOW, Done(MEMBER, THERE)),
    "one of the members already": (JOINS, MEMBER, NOW, Split()),
    "role already": (GIVE_ROLE, CONFLICT, NOW, Done(CONFLICT, THERE)),
    "a conflict on a change": (OLD, CONFLICT, NOW, no(CONFLICT)),
    "membership seems gone": (LEAVE, GONE, NOW, Again()),
    "membership gone already": (LEAVE, GONE, TWICE, Done(GONE, AWAY)),
    "membership gone meanwhile": (LEAVE, NO_LINK, NOW, Done(NO_LINK, AWAY)),
    "licence gone already": (TAKEN_BACK, NOT_HELD, NOW, Done(NOT_HELD, AWAY)),
    "half of a swap gone already": (SWAP, NOT_HELD, NOW, Split()),
    "a licence to add is not held": (LICENSE, NOT_HELD, NOW, no(NOT_HELD)),
    "account seems gone": (GOING, GONE, NOW, Again()),
    "account gone already": (GOING, GONE, TWICE, Done(GONE, AWAY)),
    "token not known": (
        JOIN,
        refusal(401, code="InvalidAuthenticationToken"),
        NOW,
        Again(0.0, renews=True),
    ),
    "new token not known": (
        JOIN,
        refusal(401, code="InvalidAuthenticationToken"),
        History(renewed=True),
        no(refusal(401, code="InvalidAuthenticationToken")),
    ),
    "a creation not arrived everywhere": (
        NEW,
        refusal(400, "One or more property values specified are invalid"),
        NOW,
        Again(ambiguous=True),
    ),
    "a creation timed out between": (NEW, refusal(408), NOW, LookUp()),
    "account not in the recycle bin": (BACK, GONE, NOW, no(GONE)),
    "account back already": (BACK, GONE, AGAIN, Done(GONE, UNHEARD)),
    "member after an answer was lost": (JOIN, MEMBER, AGAIN, Done(MEMBER, UNHEARD)),
    "gone after an answer was lost": (
        LEAVE,
        GONE,
        History(tries=2, ambiguous=True),
        Done(GONE, UNHEARD),
    ),
    "weak password where an account may have it": (NEW, WEAK, AGAIN, no(WEAK)),
    "no final answer": (LICENSE, Reply(102, {}, None), NOW, Again(ambiguous=True)),
    "one of the members refused": (JOINS, DENIED, NOW, Split()),
    "some of the members gone": (JOINS, GONE, NOW, Split()),
    "denied": (JOIN, DENIED, NOW, no(DENIED)),
    "licences denied": (LICENSES, DENIED, NOW, no(DENIED)),
}


@pytest.mark.parametrize(("operation", "answer", "history", "verdict"), TABLE.values(), ids=TABLE)
def test_verdicts(
    operation: Operation, answer: Reply | NoAnswer, history: History, verdict: object
) -> None:
    """What an answer means depends on what was asked, and on what happened before."""
    assert judge(operation, answer, history) == verdict


MARK = "contoso-identity/beta"
SEEN = Reply(200, {}, {"id": "ada-id"})
ONCE = History(looks=1)
NAMED = History(is_taken=True, looks=LOOKS)
LOOKED = History(is_taken=True, looks=LOOKS_WHERE_TAKEN)
SIGHTS = {
    "ours": (SEEN, MARK, NOW, Found(SEEN)),
    "another source's": (SEEN, "hr/beta", NOW, Taken()),
    "nobody's": (SEEN, None, NOW, Taken()),
    "maybe ours, without its mark yet": (SEEN, None, AGAIN, LookAgain()),
    "never with a mark": (SEEN, None, replace(LOOKED, ambiguous=True), Taken()),
    "an odd answer": (Reply(200, {}, ["?"]), None, NOW, LookAgain()),
    "an account without an id": (Reply(200, {}, {}), MARK, NOW, LookAgain()),
    "not seen yet": (GONE, None, NOW, LookAgain()),
    "not there": (GONE, None, ONCE, Absent()),
    "taken, and not seen yet": (GONE, None, NAMED, LookAgain()),
    "taken, and never seen": (GONE, None, LOOKED, Unknown()),
    "no sight": (DOWN, None, ONCE, LookAgain()),
    "no sight for a while": (BUSY, None, ONCE, LookAgain(9.0)),
    "too fast": (SLOW, None, ONCE, LookAgain(7.0)),
    "no answer": (LOST, None, ONCE, LookAgain()),
    "never an answer": (LOST, None, LOOKED, Unknown()),
}


@pytest.mark.parametrize(("answer", "found", "history", "sight"), SIGHTS.values(), ids=SIGHTS)
def test_looks(
    answer: Reply | NoAnswer, found: str | None, history: History, sight: object
) -> None:
    """Absence is believed only when it was seen, and twice; ours is what carries our mark."""
    assert judge_look(answer, found, MARK, history) == sight
