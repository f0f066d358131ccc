from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import ClientAuthenticationError

from reconciler.changes import Wave
from reconciler.executor.surroundings import Stop
from reconciler.graph.auth import credential
from reconciler.model import Removal

if TYPE_CHECKING:
    from reconciler.sandbox.wire import Incoming, Reply
    from tests.executor.conftest import Applied, Company, Making

STAFF = "Research - All staff"
DOOR = "Contractors - Building access"
ADMIN = "User Administrator"


KINDS = {
    r"POST .*/users$": "create",
    r"POST .*/assignLicense$": "license",
    r"\w+ .*/manager/\$ref$": "manager",
    r"\w+ .*/groups/.*": "member",
    r"\w+ .*/roleAssignments.*": "role",
    r"POST .*/revokeSignInSessions$": "revoke",
    r"POST .*/restore$": "restore",
    r"PATCH .*/users/[^/]+$": "update",
    r"DELETE .*/users/[^/]+$": "delete",
}


def kinds(applied: Applied) -> list[str]:
    """Tell writes by kind, in the order of arrival, repetitions folded."""
    lines = (f"{exchange.method} {exchange.path}" for exchange in applied.writes)
    found = (
        next(kind for line, kind in KINDS.items() if re.fullmatch(line, sent)) for sent in lines
    )
    return [kind for kind, _ in groupby(found)]


def test_joiners_come_in_waves(company: Company, make: Making) -> None:
    """Accounts come before what hangs on them, and roles last; every request succeeds."""
    ada = make.person(
        "ada",
        licenses=("SPE_E5",),
        groups=(STAFF, DOOR),
        roles=(ADMIN,),
        manager="priya@contoso.com",
    )
    bob = make.person("bob", manager="ada@contoso.com")

    applied = company.apply(make.desired(ada, bob))

    assert applied.run.result == "applied"
    assert applied.watching.waves == [(Wave.USERS, 2), (Wave.ENTITLEMENTS, 5), (Wave.ROLES, 1)]
    assert kinds(applied)[0] == "create"
    assert kinds(applied)[-1] == "role"
    assert set(applied.told.values()) == {"applied"}
    held = company.get("/users/ada@contoso.com?$select=id,assignedLicenses&$expand=manager")
    assert [x["skuId"][:4] for x in held["assignedLicenses"]] == ["06eb"]
    assert held["manager"]["userPrincipalName"] == "priya@contoso.com"
    assert company.get("/users/bob@contoso.com/manager")["id"] == held["id"]


def test_a_second_run_writes_nothing(company: Company, make: Making) -> None:
    """After success there is nothing to do, and nothing is sent to find that out twice."""
    desired = make.desired(
        make.person("ada", licenses=("SPE_E5",), groups=(STAFF,), roles=(ADMIN,), jobTitle="Lead"),
        make.person("bob", manager="ada@contoso.com"),
    )
    company.apply(desired)

    again = company.apply(desired)

    assert (again.run.result, again.run.outcomes, again.exchanges) == ("nothing to do", (), [])


@pytest.mark.parametrize("removal", [Removal.DISABLE, Removal.DELETE])
def test_leavers_go_in_reverse(company: Company, make: Making, removal: Removal) -> None:
    """Roles go first, then licences and memberships; the account is blocked, then deleted."""
    ada = make.person("ada", licenses=("SPE_E5",), groups=(STAFF,), roles=(ADMIN,))
    company.apply(make.desired(ada))

    applied = company.apply(make.desired(removal=removal))

    assert applied.run.result == "applied"
    order = [kind for kind in kinds(applied) if kind not in {"license", "member"}]
    last = ["delete"] if removal is Removal.DELETE else []
    assert order == ["role", "revoke", "update", *last]
    assert kinds(applied)[1] in {"license", "member"}


def test_batches_hold_twenty_and_members_go_together(company: Company, make: Making) -> None:
    """Forty-five joiners of one group are three batches of accounts and three binds."""
    people = [make.person(f"p{n}", groups=(STAFF,)) for n in range(45)]

    applied = company.apply(make.desired(*people))

    assert applied.run.result == "applied"
    batches = [e.body["requests"] for e in applied.exchanges if e.is_batch]
    users = [len(b) for b in batches if b[0]["url"] == "/users"]
    assert sorted(users) == [5, 20, 20]
    binds = [len(e.body["members@odata.bind"]) for e in applied.sent("PATCH", "/groups/")]
    assert binds == [20, 20, 5]


def test_writes_to_one_group_are_never_concurrent(company: Company, make: Making) -> None:
    """No batch has two writes to one group, and while one is in flight none is sent."""
    people = [make.person(f"p{n}", groups=(STAFF, DOOR)) for n in range(41)]

    applied = company.apply(make.desired(*people))

    for exchange in (e for e in applied.exchanges if e.is_batch):
        groups = [r["url"] for r in exchange.body["requests"] if "/groups/" in r["url"]]
        assert len(groups) == len(set(groups))
    assert applied.run.result == "applied"


@pytest.mark.parametrize("times", [1, 4])
def test_what_this_run_made_may_be_invisible_for_a_while(
    company: Company, make: Making, times: int
) -> None:
    """404 on an account just created is a matter of waiting, longer each time."""
    gone = make.error(404, "Request_ResourceNotFound", "Resource 'x' does not exist")
    company.faults.append(make.fault("POST", "assignLicense", gone, times))

    applied = company.apply(make.desired(make.person("ada", licenses=("SPE_E5",))))

    assert applied.run.result == "applied"
    assert company.time.slept == [1.0, 2.0, 4.0, 8.0][:times]


def test_patience_with_the_invisible_ends(company: Company, make: Making) -> None:
    """After a few minutes 404 is believed, and told with what Graph said."""
    gone = make.error(404, "Request_ResourceNotFound", "Resource 'x' does not exist")
    company.faults.append(make.fault("POST", "assignLicense", gone, 999))

    applied = company.apply(make.desired(make.person("ada", licenses=("SPE_E5",))))

    failed = applied.outcome("license/ada@contoso.com/SPE_E5")
    assert (failed.word, failed.status, failed.code) == ("failed", 404, "Request_ResourceNotFound")
    assert 300 <= company.time.elapsed < 400


def test_404_on_what_was_there_before_is_an_error_at_once(company: Company, make: Making) -> None:
    """Only what this run has made gets the benefit of the doubt."""
    ada = make.person("ada")
    company.apply(make.desired(ada))
    company.time.elapsed += 1000
    gone = make.error(404, "Request_ResourceNotFound", "Resource 'x' does not exist")
    company.faults.append(make.fault("POST", "assignLicense", gone))

    applied = company.apply(make.desired(make.person("ada", licenses=("SPE_E5",))))

    assert (applied.run.result, company.time.slept) == ("failed", [])


def test_a_member_who_is_there_already_does_not_hold_up_the_others(
    company: Company, make: Making
) -> None:
    """A bind that Graph refuses as a whole is taken apart; who was there counts as done."""
    already = make.error(
        400,
        "Request_BadRequest",
        "One or more added object references already exist for the following modified "
        "properties: 'members'.",
    )
    company.faults += [
        make.fault("PATCH", "/groups/", already),
        make.fault("POST", "members/$ref", already),
    ]
    people = [make.person(name, groups=(STAFF,)) for name in ("ada", "bob", "cat")]

    applied = company.apply(make.desired(*people))

    assert applied.run.result == "applied"
    assert len(applied.sent("POST", "members/$ref")) == 3
    notes = [o.note for o in applied.of_kind("membership")]
    assert sorted(notes, key=str) == [None, None, "it was there already"]


def test_what_is_gone_already_counts_as_done(company: Company, make: Making) -> None:
    """A licence, a membership and a role that somebody else took away are not missed."""
    ada = make.person("ada", licenses=("SPE_E5",), groups=(STAFF,), roles=(ADMIN,))
    company.apply(make.desired(ada))
    company.time.elapsed += 1000
    bad, gone = "Request_BadRequest", make.error(404, "Request_ResourceNotFound", "gone")
    company.faults += [
        make.fault(
            "POST",
            "assignLicense",
            make.error(400, bad, "User does not have a corresponding license."),
        ),
        make.fault("DELETE", "members", gone, times=2),
        make.fault("DELETE", "roleAssignments", gone, times=2),
    ]

    applied = company.apply(make.desired(make.person("ada")))

    assert applied.run.result == "applied"
    gone_already = [applied.of_kind(k) for k in ("license", "membership", "roleAssignment")]
    assert [[o.note for o in found] for found in gone_already] == [["it was gone already"]] * 3


def test_a_swap_whose_half_is_done_already_is_finished(company: Company, make: Making) -> None:
    """Graph refuses the whole when a licence to remove is gone; the other half still comes."""
    company.apply(make.desired(make.person("ada", licenses=("SPE_E5",))))
    refused = make.error(400, "Request_BadRequest", "User does not have a corresponding license.")
    company.faults.append(make.fault("POST", "assignLicense", refused, 2))

    applied = company.apply(make.desired(make.person("ada", licenses=("SPE_E3",))))

    assert applied.run.result == "applied"
    (whole, removal, addition) = [e.body for e in applied.sent("POST", "assignLicense")]
    assert [len(whole["addLicenses"]), len(whole["removeLicenses"])] == [1, 1]
    assert [removal["addLicenses"], addition["removeLicenses"]] == [[], []]


def test_a_role_that_is_held_already_counts_as_done(company: Company, make: Making) -> None:
    """Graph has no code of its own for a second assignment of a role."""
    conflict = make.error(
        400,
        "Request_BadRequest",
        "A conflicting object with one or more of the specified property values is present in "
        "the directory.",
    )
    company.faults.append(make.fault("POST", "roleAssignments", conflict))

    applied = company.apply(make.desired(make.person("ada", roles=(ADMIN,))))

    assert applied.run.result == "applied"


def test_an_address_that_somebody_else_has_is_a_failure(company: Company, make: Making) -> None:
    """The same words on an account's creation do not mean that the account is there."""
    conflict = make.error(
        400,
        "Request_BadRequest",
        "A conflicting object with one or more of the specified property values is present in "
        "the directory.",
    )
    company.faults.append(make.fault("POST", "/users", conflict))

    applied = company.apply(make.desired(make.person("ada")))

    assert applied.told == {"user/ada@contoso.com": "failed"}
    assert list(company.out.glob("*.age")) == []


def test_one_persons_failure_is_nobody_elses(company: Company, make: Making) -> None:
    """What hangs on the failed account is skipped and says so; everybody else is finished."""

    def fault(incoming: Incoming) -> Any:  # noqa: ANN401 -- JSON, or whatever is passed on
        body = incoming.body or {}
        if incoming.is_inner and body.get("userPrincipalName") == "bob@contoso.com":
            return make.error(403, "Directory_QuotaExceeded", "The quota has been exceeded")
        return None

    company.faults.append(fault)
    ada = make.person("ada", licenses=("SPE_E5",), groups=(STAFF,), manager="bob@contoso.com")
    bob = make.person("bob", licenses=("SPE_E5",), groups=(STAFF,), roles=(ADMIN,))

    applied = company.apply(make.desired(ada, bob))

    assert applied.run.result == "partly failed"
    words = {address.partition("/")[::2]: word for address, word in applied.told.items()}
    assert words["user", "bob@contoso.com"] == "failed"
    assert {word for (_, rest), word in words.items() if rest.startswith("bob")} == {
        "failed",
        "skipped",
    }
    assert words["user", "ada@contoso.com"] == "applied"
    assert words["license", "ada@contoso.com/SPE_E5"] == "applied"
    manager = applied.outcome("manager/ada@contoso.com")
    assert (manager.word, manager.because) == ("skipped", "user/bob@contoso.com did not succeed")
    (role,) = applied.of_kind("roleAssignment")
    assert role.because == "user/bob@contoso.com did not succeed"
    failed = applied.outcome("user/bob@contoso.com")
    assert (failed.status, failed.code, failed.message, failed.request_id) == (
        403,
        "Directory_QuotaExceeded",
        "The quota has been exceeded",
        "the-request",
    )
    assert [o.change.key.address for o in applied.run.outcomes] == [
        change.key.address for change in applied.plan.changes
    ]


def test_a_failed_licence_ends_what_follows(company: Company, make: Making) -> None:
    """A role, which comes last, is for those only whose earlier changes succeeded."""
    refused = make.error(400, "Request_BadRequest", "License 0 does not correspond")
    company.faults.append(make.fault("POST", "assignLicense", refused))

    applied = company.apply(make.desired(make.person("ada", licenses=("SPE_E5",), roles=(ADMIN,))))

    (role,) = applied.of_kind("roleAssignment")
    assert role.because == "license/ada@contoso.com/SPE_E5 did not succeed"


@pytest.mark.parametrize(
    ("path", "waits"), [("assignLicense", [2.128]), ("$batch", [2.128])], ids=["inner", "outer"]
)
def test_graph_is_waited_for_as_long_as_it_asks(
    company: Company, make: Making, path: str, waits: list[float]
) -> None:
    """429 inside a batch or around it: exactly the refused request again, after Retry-After."""
    company.apply(make.desired(make.person("ada"), make.person("bob")))
    slow = make.error(429, "TooManyRequests", "Please retry again later.", retry_after="2.128")
    armed: list[bool] = []

    def fault(incoming: Incoming) -> Any:  # noqa: ANN401 -- JSON, or whatever is passed on
        return throttle(incoming) if armed else None

    throttle = make.fault("POST", path, slow)
    company.faults.append(fault)
    people = [make.person(name, licenses=("SPE_E5",)) for name in ("ada", "bob")]

    applied = company.apply(make.desired(*people), before=lambda: armed.append(True))

    assert applied.run.result == "applied"
    assert company.time.slept == waits
    assert len(applied.sent("POST", "assignLicense")) == (3 if path == "assignLicense" else 2)


def test_a_wait_beyond_reason_is_a_failure(company: Company, make: Making) -> None:
    """Graph may ask for more than anybody waits: the change fails and says so."""
    slow = make.error(429, "TooManyRequests", "", retry_after="4000")
    company.faults.append(make.fault("POST", "assignLicense", slow))

    applied = company.apply(make.desired(make.person("ada", licenses=("SPE_E5",))))

    failed = applied.outcome("license/ada@contoso.com/SPE_E5")
    assert (failed.status, failed.code) == (429, "RetryAfterTooLong")
    assert "4000 seconds" in failed.message


def test_a_wait_beyond_reason_ends_the_run(company: Company, make: Making) -> None:
    """Nobody waits an hour in a job: what is left is skipped, and a rerun does it."""
    slow = make.error(429, "TooManyRequests", "", retry_after="4000")
    company.faults.append(make.fault("POST", "assignLicense", slow))
    people = [make.person(f"p{n}", licenses=("SPE_E5",)) for n in range(90)]

    applied = company.apply(make.desired(*people))

    words = [outcome.word for outcome in applied.of_kind("license")]
    assert (words.count("failed"), words.count("skipped") > 0) == (1, True)
    skipped = next(o for o in applied.of_kind("license") if o.word == "skipped")
    assert "Graph asks to wait" in skipped.because
    assert sum(company.time.slept) < 4000


@pytest.mark.parametrize("enough", [True, False], ids=["recovers", "does not"])
def test_a_service_in_trouble_is_tried_again(
    company: Company, make: Making, *, enough: bool
) -> None:
    """503 is a reason to try again, seven times in all."""
    down = make.error(503, "ServiceUnavailable", "down")
    company.faults.append(make.fault("POST", "assignLicense", down, 6 if enough else 99))

    applied = company.apply(make.desired(make.person("ada", licenses=("SPE_E5",))))

    word = "applied" if enough else "failed"
    assert applied.told["license/ada@contoso.com/SPE_E5"] == word
    assert company.time.slept == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0]


def test_a_person_who_swaps_waits_for_the_seat(company: Company, make: Making) -> None:
    """A seat that one person gives up in this plan is another's, whoever comes first."""
    people = [make.person(f"p{n}", licenses=("POWER_BI_PRO",)) for n in range(6)]
    company.apply(make.desired(*people))
    # 10 seats: 4 through a group, 6 by these. p5 swaps, and a newcomer takes the seat.
    people[5] = make.person("p5", licenses=("SPE_E3",))

    applied = company.apply(make.desired(make.person("a", licenses=("POWER_BI_PRO",)), *people))

    assert applied.run.result == "applied"
    assert company.time.slept == [1.0]


def test_two_people_swap_the_last_seats(company: Company, make: Making) -> None:
    """Where each waits for the seat of the other, both give theirs up first."""
    first, second = "POWER_BI_PRO", "PROJECTPROFESSIONAL"
    people = [make.person(f"p{n}", licenses=(first,)) for n in range(6)]
    company.apply(make.desired(*people))
    company.apply(
        make.desired(
            *people,
            make.person("chloe.martin", adopt=True),
            make.person("liam.oconnor", adopt=True),
            make.person("grace.kim", licenses=(second,), adopt=True),
        )
    )
    people[5] = make.person("p5", licenses=(second,))
    grace = make.person("liam.oconnor", licenses=(first,))

    applied = company.apply(make.desired(*people, grace))

    assert applied.run.result == "applied"
    assert company.time.slept == [1.0, 2.0, 4.0]
    for name, sku in (("p5", "5381"), ("liam.oconnor", "f8a1")):
        held = company.get(f"/users/{name}@contoso.com?$select=assignedLicenses")
        assert [x["skuId"][:4] for x in held["assignedLicenses"]][:1] == [sku]


def test_a_stop_leaves_nothing_half_done(company: Company, make: Making) -> None:
    """What is in flight is waited for; what has not been sent is skipped and says why."""
    stop = Stop()

    def fault(incoming: Incoming) -> None:
        if incoming.is_inner and incoming.method == "POST":
            stop.because = stop.because or "the run was interrupted"

    company.faults.append(fault)
    ada = make.person("ada", licenses=("SPE_E5",), roles=(ADMIN,))

    applied = company.apply(make.desired(ada), stop=stop)

    assert applied.run.interrupted
    assert applied.receipt["result"] == "interrupted"
    assert applied.told == {
        "user/ada@contoso.com": "applied",
        "license/ada@contoso.com/SPE_E5": "skipped",
        "roleAssignment/ada@contoso.com/fe930be7-5e62-47db-91af-98c3a49a38b1/": "skipped",
    }
    assert applied.outcome("license/ada@contoso.com/SPE_E5").because == "the run was interrupted"
    assert company.sign_in(*next(iter(make.unsealed(applied.run.sealed[0].path).items()))) == 50055


def test_a_stop_cuts_waiting_short(company: Company, make: Making) -> None:
    """Whoever interrupts a run does not wait until Graph's Retry-After is over."""
    stop = Stop()
    slow = make.error(429, "TooManyRequests", "", retry_after="200")
    company.faults.append(make.fault("POST", "assignLicense", slow))
    company.time.on_sleep = lambda: stop.request("the run was interrupted")
    company.time.is_endless = True

    applied = company.apply(make.desired(make.person("ada", licenses=("SPE_E5",))), stop=stop)

    assert applied.told["license/ada@contoso.com/SPE_E5"] == "skipped"
    assert len(applied.sent("POST", "assignLicense")) == 1
    assert company.time.elapsed == 0


def test_a_restored_account_comes_back_whole(company: Company, make: Making) -> None:
    """An account of ours in the recycle bin is restored, then brought up to date."""
    rita = make.person("returning.rita", cohort="beta", jobTitle="Lead", groups=(STAFF,))

    applied = company.apply(make.desired(rita))

    assert applied.run.result == "applied"
    assert kinds(applied)[:2] == ["restore", "update"]
    assert list(company.out.glob("*.age")) == []
    title = company.get("/users/returning.rita@contoso.com?$select=jobTitle")["jobTitle"]
    assert title == "Lead"


def test_a_restoration_whose_answer_was_lost_is_finished(company: Company, make: Making) -> None:
    """404 after an answer that never came means that the account is back already."""
    down = make.error(503, "ServiceUnavailable", "down")
    company.faults.append(make.fault("POST", "restore", down, after=True))

    applied = company.apply(make.desired(make.person("returning.rita", jobTitle="Lead")))

    assert applied.run.result == "applied"


def test_a_new_manager_may_be_invisible_for_a_while(company: Company, make: Making) -> None:
    """Whoever is named in a request and has just been made is waited for."""
    company.apply(make.desired(make.person("bob")))
    company.time.elapsed += 1000
    gone = make.error(404, "Request_ResourceNotFound", "Resource 'x' does not exist")
    company.faults.append(make.fault("PUT", "manager", gone))

    applied = company.apply(
        make.desired(make.person("ada"), make.person("bob", manager="ada@contoso.com"))
    )

    assert (applied.run.result, company.time.slept) == ("applied", [1.0])


def test_a_group_goes_on_without_who_failed_meanwhile(company: Company, make: Making) -> None:
    """Between two tries of a bind, those whose chain has ended are taken out of it."""
    company.faults += [
        make.fault("PATCH", "/groups/", make.error(503, "ServiceUnavailable", "down")),
        make.fault("POST", "members/$ref", make.error(503, "ServiceUnavailable", "down")),
        make.fault("POST", "assignLicense", make.error(400, "Request_BadRequest", "no")),
    ]
    ada = make.person("ada", licenses=("SPE_E5",), groups=(STAFF, DOOR))
    people = [make.person(name, groups=(STAFF,)) for name in ("bob", "cat")]

    applied = company.apply(make.desired(ada, *people))

    words = [
        (o.change.key.account.user_principal_name[:3], o.word)
        for o in applied.of_kind("membership")
    ]
    assert sorted(words) == [
        ("ada", "failed"),  # the bind that was answered 503 may have been carried out
        ("ada", "failed"),
        ("bob", "applied"),
        ("cat", "applied"),
    ]
    binds = [len(e.body["members@odata.bind"]) for e in applied.sent("PATCH", "/groups/")]
    assert binds == [3, 2]


def test_what_may_have_been_done_is_never_called_skipped(company: Company, make: Making) -> None:
    """A license whose answer was lost may be there, whatever ends the person's chain meanwhile."""
    lost = make.error(503, "ServiceUnavailable", "down")
    denied = make.error(403, "Authorization_RequestDenied", "no")
    company.faults += [
        make.fault("POST", "assignLicense", lost, after=True),
        make.fault("POST", "members/$ref", denied),
    ]

    applied = company.apply(make.desired(make.person("ada", licenses=("SPE_E5",), groups=(STAFF,))))

    (license_,) = applied.of_kind("license")
    held = company.get("/users/ada@contoso.com?$select=assignedLicenses")["assignedLicenses"]
    assert len(held) == 1
    assert (license_.word, license_.code) == ("failed", "Interrupted")
    assert license_.message.endswith("this may have been carried out, wholly or in part")


def test_a_refused_batch_says_nothing_of_what_is_in_it(company: Company, make: Making) -> None:
    """Where something between answers 404 to batches, nobody counts as gone."""
    people = [make.person(name, licenses=("SPE_E5",)) for name in ("ada", "bob")]
    company.apply(make.desired(*people))

    def astray(incoming: Incoming) -> Reply | None:
        if incoming.is_inner or not isinstance(incoming.body, dict):
            return None
        writes = [r for r in incoming.body.get("requests", ()) if r["method"] != "GET"]
        return make.error(404, "UnknownError", "nothing here") if writes else None

    company.faults.append(astray)
    applied = company.apply(make.desired(people[0], removal=Removal.DELETE))

    assert applied.run.result == "failed"
    assert company.get("/users/bob@contoso.com")["id"]
    (license_,) = applied.of_kind("license")
    assert license_.message.startswith("the batch was answered 404 UnknownError: nothing here")


def test_a_leaver_is_blocked_whatever_cannot_be_taken_back(company: Company, make: Making) -> None:
    """A membership that stays is told as failed, and does not keep the sign-in open."""
    people = [make.person(name, licenses=("SPE_E5",), groups=(STAFF,)) for name in ("ada", "bob")]
    company.apply(make.desired(*people))
    denied = make.error(403, "Authorization_RequestDenied", "no")
    company.faults.append(make.fault("DELETE", "members/", denied))

    applied = company.apply(make.desired(people[0], removal=Removal.DISABLE))

    assert {(o.change.key.kind, o.word) for o in applied.run.outcomes} == {
        ("membership", "failed"),
        ("license", "applied"),
        ("user", "applied"),
    }
    shown = company.get("/users/bob@contoso.com?$select=accountEnabled")
    assert shown["accountEnabled"] is False


def test_a_token_that_is_echoed_is_kept_nowhere(company: Company, make: Making) -> None:
    """An error that quotes the request's token reaches neither receipt nor journal with it."""
    tokens: list[str] = []

    def echo(incoming: Incoming) -> Reply | None:
        if not (incoming.is_inner and incoming.path.endswith("/assignLicense")):
            return None
        tokens.append(incoming.headers["authorization"].split()[-1])
        return make.error(403, "Authorization_RequestDenied", f"denied for {tokens[-1]}, sorry")

    company.faults.append(echo)
    applied = company.apply(make.desired(make.person("ada", licenses=("SPE_E5",))))

    (license_,) = applied.of_kind("license")
    kept = applied.files.receipt.read_text("utf-8") + applied.files.journal.read_text("utf-8")
    assert license_.message == "denied for …, sorry"
    assert tokens[0][:20] not in kept


@pytest.mark.parametrize("is_blocked", [False, True], ids=["open", "blocked already"])
def test_a_leaver_who_keeps_something_is_blocked_and_deleted_later(
    company: Company,
    make: Making,
    is_blocked: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    """Nobody can take anything from a deleted account: a rerun deletes it once that is done."""
    ada, bob = (make.person(name, groups=(STAFF,)) for name in ("ada", "bob"))
    company.apply(make.desired(ada, bob))
    if is_blocked:
        company.apply(make.desired(ada, make.person("bob", groups=(STAFF,), accountEnabled=False)))
    denied = make.error(403, "Authorization_RequestDenied", "no")
    company.faults.append(make.fault("DELETE", "members/", denied, times=1))

    first = company.apply(make.desired(ada, removal=Removal.DELETE))
    shown = company.get("/users/bob@contoso.com?$select=accountEnabled")
    second = company.apply(make.desired(ada, removal=Removal.DELETE))

    (told,) = first.of_kind("user")
    assert shown["accountEnabled"] is False
    assert told.word == ("skipped" if is_blocked else "failed")
    assert second.run.result == "applied"
    assert "error" in company.get("/users/bob@contoso.com")


class Leaving:
    """A credential that works until the run is under way."""

    def __init__(self, inner: Any) -> None:  # noqa: ANN401 -- JSON, or whatever is passed on
        self.inner = inner
        self.gone = False

    def get_token(self, *scopes: str, **more: Any) -> Any:  # noqa: ANN401 -- JSON, or whatever is passed on
        """Give a token, or the login service's refusal."""
        if self.gone:
            raise ClientAuthenticationError(message="AADSTS7000222: The secret has expired.")
        return self.inner.get_token(*scopes, **more)


def test_signing_in_that_fails_on_the_way_ends_the_run(company: Company, make: Making) -> None:
    """Nothing more is sent, the rest is skipped, and the login service's words are kept."""
    people = [make.person(f"p{n}", licenses=("SPE_E5",)) for n in range(90)]
    signed_in: list[Leaving] = []

    def sign_in(*where: Any) -> Leaving:  # noqa: ANN401 -- JSON, or whatever is passed on
        signed_in.append(Leaving(credential(*where)))
        return signed_in[0]

    def leave() -> None:
        signed_in[0].gone = True

    applied = company.apply(make.desired(*people), sign_in=sign_in, before=leave)

    assert applied.run.result == "failed"
    assert applied.writes == []
    assert {o.word for o in applied.run.outcomes} == {"failed", "skipped"}
    failed = applied.outcome("user/p0@contoso.com")
    assert (failed.status, failed.code) == (401, "SignInFailed")
    assert "AADSTS7000222" in failed.message
    skipped = applied.outcome("license/p89@contoso.com/SPE_E5")
    assert "AADSTS7000222" in skipped.because or "did not succeed" in skipped.because
    assert list(company.out.glob("*.age")) == []
