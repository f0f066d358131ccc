from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.identity import AzureCliCredential, ClientSecretCredential

from reconciler.errors import ExitCode, GraphFailed, GraphUnreachable, PermissionMissing
from reconciler.graph.remedies import Extension, clock, is_of_application, kind_of, quota
from reconciler.graph.reply import Reply
from reconciler.graph.steps import Status, Step, counts, exit_code, failed, warning

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
APPLICATION = "b1f0c3de-9a57-4c1e-8f5d-6f2d3a7e4c90"
NAME = f"extension_{APPLICATION.replace('-', '')}_ownedBy"


@pytest.mark.parametrize(
    ("seconds", "status", "told"),
    [
        (0, Status.OK, "as Microsoft Graph's"),
        (60, Status.OK, "as Microsoft Graph's"),
        (61, Status.WARNING, "this machine's clock is 61 seconds ahead of Microsoft Graph's"),
        (-300, Status.WARNING, "this machine's clock is 300 seconds behind Microsoft Graph's"),
        (301, Status.FAILED, "this machine's clock is 301 seconds ahead of Microsoft Graph's"),
        (-3600, Status.FAILED, "this machine's clock is 3,600 seconds behind Microsoft Graph's"),
    ],
)
def test_the_clock(seconds: int, status: Status, told: str) -> None:
    """More than a minute apart is worth a warning, more than five break sign-ins."""
    step = clock(NOW, NOW + timedelta(seconds=seconds))

    assert (step.status, step.told) == (status, told)


def test_a_graph_without_a_clock() -> None:
    """What cannot be compared is not said to be right."""
    assert clock(None, NOW).status is Status.WARNING


@pytest.mark.parametrize(
    ("used", "was_refused", "status", "told"),
    [
        (None, False, Status.OK, None),
        (0.79, False, Status.OK, None),
        (0.8, False, Status.WARNING, "80% of a limit of this application is used"),
        (None, True, Status.WARNING, "Microsoft Graph refused the first request"),
    ],
)
def test_the_quota(
    used: float | None, *, was_refused: bool, status: Status, told: str | None
) -> None:
    """Graph tells how much of a limit is used once that is 80 %."""
    step = quota(used, was_refused=was_refused)

    assert step.status is status
    assert [p.summary.startswith(str(told)) for p in step.problems] == [True] * bool(told)


def test_which_credential() -> None:
    """The reason is the variable that decided; one that is not known is told by its class."""
    secret = ClientSecretCredential("tenant", "client", "secret")
    cli = AzureCliCredential()

    assert kind_of(secret) == "a client secret, because AZURE_CLIENT_SECRET is set"
    assert "az login" in kind_of(cli)
    assert kind_of(None) == "NoneType"
    assert (is_of_application(secret), is_of_application(cli)) == (True, False)


def answer(*items: dict[str, Any], status: int = 200) -> Reply:
    """Give what Graph says of an application's extensions."""
    return Reply(status, {}, {"value": list(items)})


def shown(**more: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON, or whatever is passed on
    """Give an extension as Graph shows it."""
    return {"name": NAME.upper(), "dataType": "String", "targetObjects": ["User"], **more}


@pytest.mark.parametrize(
    ("reply", "status", "told"),
    [
        (answer(shown()), Status.OK, f"{NAME} is registered, by application {APPLICATION}"),
        (answer(shown(appDisplayName="Marks")), Status.OK, f"{APPLICATION} (Marks)"),
        (answer(shown(targetObjects=["Group"])), Status.FAILED, "is not a text of users"),
        (answer(shown(dataType="Integer")), Status.FAILED, "is not a text of users"),
        (answer(shown(name="extension_x_y")), Status.WARNING, "is not among the extensions"),
        (answer(status=404), Status.WARNING, "is not among the extensions"),
    ],
    ids=["there", "named", "of groups", "a number", "another", "no answer"],
)
def test_an_extension(reply: Reply, status: Status, told: str) -> None:
    """It has to be a text, and of users."""
    step = Extension.of(NAME).judged(reply)

    assert step.status is status
    assert told in (step.problems[0].summary if step.problems else step.told)


def test_an_extension_that_is_not_registered() -> None:
    """The remedy is the command that registers it, with the application's id in full."""
    root = "https://graph.microsoft.us/v1.0"
    step = Extension.of(NAME).unknown(GraphFailed("Graph refused a read: 400"), root)
    hint = str(step.problems[0].hint)

    assert step.status is Status.FAILED
    assert f"{root}/applications(appId='{APPLICATION}')/extensionProperties" in hint
    assert '"name":"ownedBy"' in hint


PERMISSION = failed("tenant", PermissionMissing("no", "grant it"))
SILENCE = failed("Graph", GraphUnreachable("no answer"))
FAILURE = failed("domains", GraphFailed("no"))
FINE, DOUBT = Step("clock", "right"), Step("quota", problems=(warning("near"),))
SKIPPED = Step("groups", because="'tenant' failed", code=ExitCode.PERMISSION_MISSING)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], ExitCode.DONE),
        ([FINE, DOUBT, SKIPPED], ExitCode.DONE),
        ([FAILURE, FINE], ExitCode.FAILED),
        ([FAILURE, SILENCE], ExitCode.UNREACHABLE),
        ([FAILURE, SILENCE, PERMISSION], ExitCode.PERMISSION_MISSING),
    ],
)
def test_what_a_check_up_ends_with(steps: list[Step], expected: ExitCode) -> None:
    """What somebody else has to grant comes before what may pass."""
    assert exit_code(steps) is expected


def test_counts() -> None:
    """Each status is counted, also where there is none."""
    assert list(counts([FINE, DOUBT, PERMISSION, FAILURE]).values()) == [1, 1, 2, 0]
    assert PERMISSION.problems[0].hint == "grant it"
