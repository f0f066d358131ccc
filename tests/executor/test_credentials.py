"""What becomes of the passwords of a run, whatever becomes of the run."""

from __future__ import annotations

import gc
import resource
import traceback
from itertools import count
from typing import TYPE_CHECKING

import pytest

from reconciler.credentials import Password, generate
from reconciler.errors import ReconcilerError
from reconciler.executor.outcomes import Failed
from reconciler.executor.report import report
from reconciler.executor.settling import CREATED_UNHEARD
from reconciler.executor.surroundings import Stop
from reconciler.sandbox.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from reconciler.sandbox.wire import Incoming
    from tests.executor.conftest import Company, Making

MUST_CHANGE = 50055
"""The login service's word for a password that is right and has to be changed."""
WRONG = 50126
FINAL = "beta.credentials.csv.age"
DOWN = (503, "ServiceUnavailable", "down")


def creates(incoming: Incoming) -> bool:
    """Whether *incoming* creates an account."""
    return incoming.is_inner and incoming.method == "POST" and incoming.path.endswith("/users")


def test_credentials_are_sealed_before_they_are_used(company: Company, make: Making) -> None:
    """When an account's creation arrives, the password it asks for lies sealed on the disk."""
    found: dict[str, list[str]] = {}

    def look(incoming: Incoming) -> None:
        if creates(incoming):
            pieces = [make.unsealed(piece) for piece in sorted(company.out.glob("*.age"))]
            name = incoming.body["userPrincipalName"]
            wanted = incoming.body["passwordProfile"]["password"]
            found[name] = [piece[name] for piece in pieces if piece.get(name) == wanted]

    company.faults.append(look)
    people = [make.person(f"p{n}") for n in range(23)]

    company.apply(make.desired(*people))

    assert sorted(found) == sorted(person.user_principal_name for person in people)
    assert all(len(passwords) == 1 for passwords in found.values())


def test_one_file_holds_exactly_the_new_accounts(company: Company, make: Making) -> None:
    """Each cohort gets one file, the pieces are gone, and every password in it is right."""

    def fault(incoming: Incoming) -> Reply | None:
        if creates(incoming) and incoming.body["userPrincipalName"].startswith("bob"):
            return make.error(400, "Request_BadRequest", "Property userPrincipalName is invalid.")
        return None

    company.faults.append(fault)
    people = [make.person("ada"), make.person("bob"), make.person("cat", cohort="gamma")]

    applied = company.apply(make.desired(*people, cohorts=("beta", "gamma")))

    names = ["beta.credentials.csv.age", "gamma.credentials.csv.age"]
    assert sorted(path.name for path in company.out.glob("*.age")) == names
    assert [(s.cohort, s.path.name, s.accounts) for s in applied.run.sealed] == [
        ("beta", names[0], 1),
        ("gamma", names[1], 1),
    ]
    beta, gamma = (make.unsealed(company.out / name) for name in names)
    assert (list(beta), list(gamma)) == (["ada@contoso.com"], ["cat@contoso.com"])
    assert {company.sign_in(*pair) for pair in (beta | gamma).items()} == {MUST_CHANGE}


def test_no_account_no_file(company: Company, make: Making) -> None:
    """Where nothing was created, nothing is left that looks like credentials."""
    refused = make.error(400, "Request_BadRequest", "Property userPrincipalName is invalid.")
    company.faults.append(make.fault("POST", "/users", refused))

    applied = company.apply(make.desired(make.person("ada")))

    assert (applied.run.sealed, list(company.out.glob("*.age"))) == ((), [])


def test_earlier_files_stay(company: Company, make: Making) -> None:
    """A second run writes beside what the first has left, its records included."""
    company.apply(make.desired(make.person("ada")))
    before = {path.name: path.read_bytes() for path in company.out.iterdir()}

    company.apply(make.desired(make.person("ada"), make.person("bob")))

    after = {path.name: path.read_bytes() for path in company.out.iterdir()}
    assert {name: after[name] for name in before} == before
    assert sorted(after.keys() - before.keys()) == [
        "beta.2.credentials.csv.age",
        "journal.2.jsonl",
        "receipt.2.json",
    ]


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
@pytest.mark.parametrize(
    ("path", "reply"),
    [("/users", None), ("$batch", None), ("$batch", Reply(200, is_cut=True))],
    ids=["one answer 503", "the batch 503", "the batch's answer breaks off"],
)
def test_an_answer_that_is_lost_makes_no_second_account(
    company: Company, make: Making, path: str, reply: Reply | None, *, after: bool
) -> None:
    """The account is made once, and the sealed password is the one that it has."""
    armed: list[bool] = []
    lost = make.fault("POST", path, reply or make.error(*DOWN), after=after)
    company.faults.append(lambda incoming: lost(incoming) if armed else None)

    applied = company.apply(
        make.desired(make.person("ada", licenses=("SPE_E5",))), before=lambda: armed.append(True)
    )

    assert lost.struck == 1
    assert set(applied.told.values()) == {"applied"}
    outcome = applied.outcome("user/ada@contoso.com")
    note = CREATED_UNHEARD if after else None
    assert outcome.note == note
    assert outcome.change.key.account.id == company.get("/users/ada@contoso.com")["id"]
    (pair,) = make.unsealed(company.out / FINAL).items()
    assert company.sign_in(*pair) == MUST_CHANGE


def test_an_account_that_is_created_without_a_word(company: Company, make: Making) -> None:
    """A 201 that does not say whom it made is looked into, and the run goes on from there."""
    mute = make.fault("POST", "/users", Reply(201, {}), after=True)
    company.faults.append(mute)

    applied = company.apply(make.desired(make.person("ada", licenses=("SPE_E5",))))

    assert mute.struck == 1
    assert applied.told == {
        "user/ada@contoso.com": "applied",
        "license/ada@contoso.com/SPE_E5": "applied",
    }
    outcome = applied.outcome("user/ada@contoso.com")
    assert outcome.note.startswith("created by a request whose answer was lost")
    assert outcome.change.key.account.id == company.get("/users/ada@contoso.com")["id"]
    (pair,) = make.unsealed(company.out / FINAL).items()
    assert company.sign_in(*pair) == MUST_CHANGE


def test_an_account_that_cannot_be_seen_yet_is_looked_for_again(
    company: Company, make: Making
) -> None:
    """The name is taken and nobody seems to have it: the answer comes with patience."""
    gone = make.error(404, "Request_ResourceNotFound", "Resource 'x' does not exist")

    def unseen(incoming: Incoming) -> Reply | None:
        return gone if "users('ada" in incoming.path and next(looks) < 2 else None

    looks = count()
    company.faults += [
        make.fault("POST", "/users", make.error(*DOWN), after=True),
        unseen,
    ]

    applied = company.apply(make.desired(make.person("ada")))

    assert applied.told == {"user/ada@contoso.com": "applied"}
    assert next(looks) == 3


def test_an_account_that_is_never_seen_keeps_its_credentials(
    company: Company, make: Making
) -> None:
    """Looking ends at some time: the change failed, and may have been made nevertheless."""
    gone = make.error(404, "Request_ResourceNotFound", "Resource 'x' does not exist")

    def unseen(incoming: Incoming) -> Reply | None:
        return gone if "users('ada" in incoming.path else None

    company.faults += [make.fault("POST", "/users", make.error(*DOWN), after=True), unseen]

    applied = company.apply(make.desired(make.person("ada")))

    assert applied.told == {"user/ada@contoso.com": "failed"}
    (pair,) = make.unsealed(company.out / FINAL).items()
    assert company.sign_in(*pair) == MUST_CHANGE


def test_a_name_that_somebody_else_took_meanwhile_is_not_ours(
    company: Company, make: Making
) -> None:
    """An account with our name and without our mark was not made by this run."""
    company.faults.append(make.fault("POST", "/users", make.error(*DOWN)))

    def taken(incoming: Incoming) -> Reply | None:
        if creates(incoming) and company.faults[0].struck:  # type: ignore[attr-defined]  # a Times
            incoming.body["onPremisesExtensionAttributes"] = None
        return None

    steal = make.fault(
        "POST",
        "/users",
        make.error(
            400,
            "Request_BadRequest",
            "Another object with the same value for property userPrincipalName already exists.",
        ),
        after=True,
    )
    company.faults += [taken, steal]

    applied = company.apply(make.desired(make.person("ada")))

    failed = applied.outcome("user/ada@contoso.com")
    assert (failed.word, failed.code) == ("failed", "Request_BadRequest")
    assert list(company.out.glob("*.age")) == []


@pytest.mark.parametrize(
    "how", ["no answer at all", "asked to wait too long", "stopped while waiting"]
)
def test_credentials_of_what_may_exist_are_kept(company: Company, make: Making, how: str) -> None:
    """An account that may have been created keeps its password, whatever ended the run."""
    stop = Stop()
    if how == "no answer at all":
        company.faults.append(make.fault("POST", "$batch", Reply(200, is_cut=True), 99, after=True))
    elif how == "asked to wait too long":
        slow = make.error(*DOWN, retry_after="4000")
        company.faults.append(make.fault("POST", "/users", slow, after=True))
    else:
        company.time.on_sleep = lambda: stop.request("the run was interrupted")
        company.faults.append(make.fault("POST", "/users", make.error(*DOWN), after=True))
    armed: list[bool] = []
    fault = company.faults.pop()
    company.faults.append(lambda incoming: fault(incoming) if armed else None)

    applied = company.apply(
        make.desired(make.person("ada")), stop=stop, before=lambda: armed.append(True)
    )

    assert applied.told == {"user/ada@contoso.com": "failed"}
    (pair,) = make.unsealed(company.out / FINAL).items()
    assert company.sign_in(*pair) == MUST_CHANGE


def test_a_banned_password_is_drawn_anew_once(company: Company, make: Making) -> None:
    """The tenant bans one password; the next, sealed as well before it is used, signs in."""
    words = iter(("Password1", "Kk7#mmmmmmmmmmmm"))

    def draw(_: Iterable[str]) -> Password:
        return Password(next(words))

    applied = company.apply(make.desired(make.person("ada")), draw=draw)

    assert applied.run.result == "applied"
    assert make.unsealed(company.out / FINAL) == {"ada@contoso.com": "Kk7#mmmmmmmmmmmm"}
    assert company.sign_in("ada@contoso.com", "Kk7#mmmmmmmmmmmm") == MUST_CHANGE
    assert company.sign_in("ada@contoso.com", "Password1") == WRONG
    events = [line["event"] for line in applied.journal]
    assert events == [
        "started",
        "sealed",
        "sending",
        "sealed",
        "password refused",
        "sending",
        "outcome",
        "confirmed",
        "finished",
    ]


def test_a_second_banned_password_is_a_failure(company: Company, make: Making) -> None:
    """The run does not try passwords until one passes."""
    applied = company.apply(make.desired(make.person("ada")), draw=lambda _: Password("Password1"))

    assert applied.told == {"user/ada@contoso.com": "failed"}
    assert len(applied.sent("POST", "/users")) == 2
    assert list(company.out.glob("*.age")) == []


def full(path: Path) -> None:
    """Let no file grow beyond what *path* is now: what a full disk does."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))


@pytest.fixture
def room() -> Iterator[None]:
    """Give the disk its room back."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("room")
def test_without_a_journal_nothing_more_is_sent(company: Company, make: Making) -> None:
    """The disk is full when the first account is made: the run ends there, and says why."""

    def fill(incoming: Incoming) -> None:
        if creates(incoming):
            full(company.out / "journal.jsonl")

    company.faults.append(fill)
    people = [make.person(f"p{n}", licenses=("SPE_E5",)) for n in range(25)]
    sent = []
    company.faults.append(lambda incoming: sent.append(incoming) if incoming.is_inner else None)

    with pytest.raises(ReconcilerError, match=r"cannot write the journal '.*': file too large"):
        company.apply(make.desired(*people))

    writes = [incoming for incoming in sent if incoming.method != "GET"]
    assert writes
    assert all(creates(incoming) for incoming in writes)
    names = {incoming.body["userPrincipalName"] for incoming in writes}
    pieces = [make.unsealed(piece) for piece in company.out.glob("*.age")]
    assert names <= {name for piece in pieces for name in piece}


def test_without_sealed_credentials_nothing_is_sent(company: Company, make: Making) -> None:
    """A password that cannot be sealed is not used."""
    sent: list[Incoming] = []
    company.faults.append(lambda incoming: sent.append(incoming) if creates(incoming) else None)

    with pytest.raises(ReconcilerError, match="credentials cannot be sealed"):
        company.apply(make.desired(make.person("ada"), recipient="age1nonsense"))

    assert sent == []


def test_what_one_batch_cannot_seal_stops_the_others(company: Company, make: Making) -> None:
    """Where records fail once they may fail again: batches that are ready are not sent."""
    sent: list[Incoming] = []
    company.faults.append(lambda incoming: sent.append(incoming) if creates(incoming) else None)
    drawn = count()

    def draw(names: Iterable[str]) -> Password:
        if next(drawn) == 0:
            raise ReconcilerError("the source of randomness is broken")
        return generate(names)

    with pytest.raises(ReconcilerError, match="the source of randomness is broken"):
        company.apply(make.desired(*(make.person(f"p{n}") for n in range(45))), draw=draw)

    assert sent == []


def representations() -> list[str]:
    """Show every object of ours that is alive, whoever holds it; the sandbox is Graph's side."""
    names = ((getattr(type(thing), "__module__", ""), thing) for thing in gc.get_objects())
    ours = [t for name, t in names if isinstance(name, str) and name.startswith("reconciler.")]
    return [repr(t) for t in ours if not type(t).__module__.startswith("reconciler.sandbox")]


def test_no_password_is_left_anywhere(
    company: Company, make: Making, caplog: pytest.LogCaptureFixture
) -> None:
    """Journal, receipt, report, logs and every living value of ours, on the way and after."""
    refused = make.error(400, "Request_BadRequest", "License 0 does not correspond")
    company.faults += [
        make.fault("POST", "/users", make.error(*DOWN), after=True),
        make.fault("POST", "assignLicense", refused),
    ]
    drawn: list[Password] = []

    def draw(names: Iterable[str]) -> Password:
        drawn.append(generate(names))
        return drawn[-1]

    alive: list[str] = []
    company.faults.append(
        lambda incoming: alive.extend(representations()) if creates(incoming) else None
    )
    people = [make.person(f"p{n}", licenses=("SPE_E5",)) for n in range(3)]

    applied = company.apply(make.desired(*people), draw=draw)

    passwords = list(make.unsealed(company.out / FINAL).values())
    assert sorted(passwords) == sorted(password.reveal() for password in drawn)
    texts = [
        applied.files.journal.read_text(),
        applied.files.receipt.read_text(),
        report(applied.plan, applied.run, applied.files),
        caplog.text,
        *alive,
        *representations(),
    ]
    assert [p for p in passwords for text in texts if p in text] == []
    assert any("Password(…)" in text for text in alive)
    assert any(text.startswith("Task(") for text in alive)


def test_a_password_that_graph_echoes_is_not_repeated(
    company: Company, make: Making, caplog: pytest.LogCaptureFixture
) -> None:
    """A refusal that quotes the password is told without it, wherever it is told."""
    echoed: list[str] = []

    def echo(incoming: Incoming) -> Reply | None:
        if not creates(incoming):
            return None
        password = incoming.body["passwordProfile"]["password"]
        echoed.append(password)
        return make.error(400, f"Bad_{password}", f"'{password}' is invalid; {password}!")

    company.faults.append(echo)

    applied = company.apply(make.desired(make.person("ada"), make.person("bob")))

    ada, bob = applied.run.outcomes
    words = ("Bad_…", "'…' is invalid; …!")
    assert [(o.code, o.message) for o in (ada, bob) if isinstance(o, Failed)] == [words] * 2
    assert len(set(echoed)) == 2
    texts = [
        repr(applied.run),
        repr(applied.watching),
        applied.files.journal.read_text(),
        applied.files.receipt.read_text(),
        report(applied.plan, applied.run, applied.files),
        caplog.text,
    ]
    assert [password for password in echoed for text in texts if password in text] == []
    assert "Bad_…: '…' is invalid; …!" in report(applied.plan, applied.run, applied.files)


def test_no_password_is_in_an_exception(
    company: Company, make: Making, room: None, caplog: pytest.LogCaptureFixture
) -> None:
    """A run that dies tells nothing of what it had in memory."""
    assert room is None
    drawn: list[Password] = []
    company.faults.append(
        lambda incoming: full(company.out / "journal.jsonl") if creates(incoming) else None
    )

    def draw(names: Iterable[str]) -> Password:
        drawn.append(generate(names))
        return drawn[-1]

    with pytest.raises(ReconcilerError) as caught:
        company.apply(make.desired(make.person("ada")), draw=draw)

    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caplog.text
    assert [p for p in drawn if p.reveal() in told] == []
    assert len(drawn) == 1
