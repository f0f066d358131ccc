from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson
import pytest
from azure.core.credentials import AccessToken

from reconciler.changes import (
    Key,
    LicenseKey,
    ManagerKey,
    MembershipKey,
    RoleAssignmentKey,
    UserKey,
)
from reconciler.commands.drift import found
from reconciler.findings import Drift, Finding, Kind, Standing
from reconciler.graph.activities import MOST, explained
from reconciler.graph.connection import connect
from reconciler.graph.evidence import evidence, record
from reconciler.graph.observe import AT_ONCE
from reconciler.graph.permissions import application, may_read_audit_log
from reconciler.model import Account, CohortName, Desired, ObjectId, Tenant, UserPrincipalName

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import httpx

    from reconciler.model import DeclaredUser
    from reconciler.sandbox.company.generating import Crowd
    from tests.graph.conftest import Fake
    from tests.graph.conftest import Tenant as Tenancy

    Part = Callable[[str], tuple[int, Any]]

NOW = datetime(2026, 3, 31, 9, tzinfo=UTC)
ADA = Account(UserPrincipalName("ada@contoso.com"), ObjectId("id-ada"))
SKU, OTHER = "aaaa", "bbbb"
GROUP = MembershipKey(ADA, ObjectId("id-staff"), "Staff")
ROLE = RoleAssignmentKey(ADA, ObjectId("id-reader"), "Reader")
LICENSE = LicenseKey(ADA, ObjectId(SKU), "SPE_E5")


def token(**claims: Any) -> str:  # noqa: ANN401 -- JSON
    """Make an access token; nobody here looks at its signature."""
    payload = base64.urlsafe_b64encode(orjson.dumps(claims)).decode().rstrip("=")
    return f"header.{payload}.signature"


@dataclass
class Signed:
    """Signs in as an application with these claims."""

    claims: dict[str, Any] = field(default_factory=dict)

    def get_token(self, *_: str, **__: object) -> AccessToken:
        """Give a token."""
        return AccessToken(token(**self.claims), 2**31)


def finding(kind: Kind, key: Key | None = None, path: str | None = None, **more: Any) -> Finding:  # noqa: ANN401 -- passed on
    """Give a difference of Ada's account."""
    return Finding(kind, key or UserKey(ADA), CohortName("beta"), path, **more)


def drift(*findings: Finding) -> Drift:
    """Give the drift that consists of these."""
    tenant = Tenant(ObjectId("t"), "Contoso", ())
    return Drift(tenant, "us", "extensionAttribute15", findings)


def entry(activity: str, *changed: tuple[str, str, str], **more: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """Give an entry of the log on Ada, made by Eve."""
    properties = [{"displayName": n, "oldValue": o, "newValue": v} for n, o, v in changed]
    target = {
        "id": "id-ada",
        "userPrincipalName": "Ada@contoso.com",
        "modifiedProperties": properties,
    }
    by = {"displayName": "Eve", "userPrincipalName": "eve@contoso.com", "id": "id-eve"}
    return {
        "activityDateTime": "2026-03-30T09:00:00Z",
        "activityDisplayName": activity,
        "result": "success",
        "initiatedBy": {"user": by, "app": None},
        "targetResources": [target],
        **more,
    }


def sku(key: str, *off: str) -> str:
    """Give what an entry says of one license."""
    return f"[SkuName=X, AccountId=t, SkuId={key}, DisabledPlans=[{', '.join(off)}]]"


def assigned(old: list[str], new: list[str]) -> dict[str, Any]:
    """Give the entry of a change of licenses."""
    before, after = (orjson.dumps(held).decode() for held in (old, new))
    return entry("Change user license", ("AssignedLicense", before, after))


STAFF = entry("", ("Group.ObjectID", "", '"id-staff"'), activityDisplayName="Add member to group")
READER = entry("Remove member from role", ("Role.DisplayName", '"Reader"', ""))
CASES: list[tuple[Finding, dict[str, Any], str | None]] = [
    (finding(Kind.FIELD, path="jobTitle"), entry("Update user", ("JobTitle", "", "")), "JobTitle"),
    (finding(Kind.FIELD, path="jobTitle"), entry("Update user", ("City", "", "")), None),
    (finding(Kind.FIELD, path="mobilePhone"), entry("Update user", ("Mobile", "", "")), "Mobile"),
    (finding(Kind.FIELD, path="accountEnabled"), entry("Disable account"), ""),
    (finding(Kind.FIELD, path="city"), entry("Disable account"), None),
    (finding(Kind.FIELD, ManagerKey(ADA, None), "manager"), entry("Set user manager"), ""),
    (finding(Kind.FIELD, ManagerKey(ADA, None), "manager"), entry("Update user"), None),
    (
        finding(Kind.MARK, path="mark"),
        entry("x", ("ExtensionAttribute15", "", "")),
        "ExtensionAttribute15",
    ),
    (finding(Kind.MARK, path="mark"), entry("Update user", ("City", "", "")), None),
    (
        finding(Kind.UNADOPTED),
        entry("x", ("OnPremisesExtensionAttributes", "", "")),
        "OnPremisesExtensionAttributes",
    ),
    (finding(Kind.ABSENT), entry("Update user"), ""),
    (finding(Kind.DELETED), entry("Delete user"), ""),
    (finding(Kind.DELETED), entry("Update user"), None),
    (finding(Kind.UNDECLARED), entry("Restore user"), ""),
    (finding(Kind.UNDECLARED), entry("x", ("UserPrincipalName", "", "")), "UserPrincipalName"),
    (finding(Kind.UNDECLARED), entry("x"), None),
    (finding(Kind.HELD, GROUP), STAFF, ""),
    (finding(Kind.NOT_HELD, GROUP), STAFF, None),
    (finding(Kind.NOT_HELD, GROUP), entry("Remove member from group"), None),
    (finding(Kind.NOT_HELD, ROLE), READER, ""),
    (finding(Kind.HELD, ROLE), READER, None),
    (finding(Kind.HELD, UserKey(ADA)), READER, None),
    (finding(Kind.HELD, LICENSE), assigned([], [sku(SKU)]), "AssignedLicense"),
    (finding(Kind.HELD, LICENSE), assigned([], [sku(OTHER)]), None),
    (finding(Kind.HELD, LICENSE), assigned([sku(SKU)], []), None),
    (
        finding(Kind.NOT_HELD, LICENSE),
        assigned([sku(OTHER), sku(SKU)], [sku(OTHER)]),
        "AssignedLicense",
    ),
    (finding(Kind.NOT_HELD, LICENSE), entry("x", ("Other", sku(SKU), "")), None),
    (
        finding(Kind.FIELD, LICENSE, "disabledPlans"),
        assigned([sku(SKU)], [sku(SKU, "p")]),
        "AssignedLicense",
    ),
    (
        finding(Kind.FIELD, LICENSE, "disabledPlans"),
        assigned([sku(SKU), sku(OTHER)], [sku(SKU)]),
        None,
    ),
    (
        finding(Kind.BROKEN, LICENSE, "state"),
        assigned([sku(OTHER)], [sku(OTHER), sku(SKU)]),
        "AssignedLicense",
    ),
]


@pytest.mark.parametrize(("of", "item", "named"), CASES)
def test_which_entries_tell(of: Finding, item: dict[str, Any], named: str | None) -> None:
    """An entry tells of a difference where it is of that very thing, in the way that fits."""
    read = record(item, frozenset())
    assert read
    told = evidence(of, [read], "extensionAttribute15")

    assert (told is not None) is (named is not None)
    if told:
        assert told.property == (named or None)
        assert (told.actor.name, told.actor.identity) == ("Eve", "eve@contoso.com")


@pytest.mark.parametrize(
    ("initiated", "expected"),
    [
        ({"user": {"id": "id-eve"}}, (None, "id-eve", True, False)),
        (
            {"app": {"appId": "APP", "displayName": "Portal"}},
            ("Portal", "APP", False, True),
        ),
        (
            {"app": {"servicePrincipalId": "sp", "servicePrincipalName": "n"}, "user": None},
            ("n", "sp", False, False),
        ),
        ({"app": 1}, (None, None, False, False)),
        (None, (None, None, False, False)),
    ],
)
def test_who(initiated: object, expected: tuple[object, ...]) -> None:
    """People and applications are named by whatever Graph gives of them."""
    read = record(entry("Update user", initiatedBy=initiated), frozenset({"app"}))
    assert read
    actor = read.actor

    assert (actor.name, actor.identity, actor.is_person, actor.is_ours) == expected


def test_entries_that_are_none() -> None:
    """What failed is none; whatever Graph leaves out or garbles is read as nothing."""
    odd = record({"targetResources": [1, {"modifiedProperties": [1, {}]}, {}]}, frozenset())

    assert record(1, frozenset()) is None
    assert record(entry("Update user", result="failure"), frozenset()) is None
    assert odd
    assert (odd.at, odd.activity, odd.targets) == ("", "an activity without a name", {})


def test_the_latest_entry_tells(fake: Callable[..., Fake], batched: Callable[..., Any]) -> None:
    """Of several, the latest that tells is taken, in whatever order they come."""
    items = [
        entry("Update user", ("City", "", ""), activityDateTime=f"2026-03-{day}T09:00:00Z")
        for day in (20, 29, 10)
    ]
    tenant = fake(batched(lambda _: (200, {"value": items})))
    after = tenant.run(lambda graph: explained(graph, drift(finding(Kind.FIELD, path="city")), NOW))

    (told,) = after.findings
    assert told.evidence
    assert told.evidence.at == "2026-03-29T09:00:00Z"
    (part,) = tenant.parts(0)
    query = unquote(part["url"])
    assert (
        "targetResources/any(t: t/id eq 'id-ada') and activityDateTime ge 2026-03-01T09:00:00Z"
        in query
    )
    assert "$top=100" in query
    assert (after.log.asked, after.log.wanted, after.log.silence) == (1, 1, None)


def test_who_is_absent_is_looked_up_by_name_and_then_by_id(
    fake: Callable[..., Fake], batched: Callable[..., Any]
) -> None:
    """The entry of a deletion bears another name, so the id leads to it."""
    gone = Account(UserPrincipalName("ada@contoso.com"))
    new = Account(UserPrincipalName("o'hara@contoso.com"))

    def part(url: str) -> tuple[int, Any]:
        query = unquote(url)
        if "t/id eq 'id-ada'" in query:
            return 200, {"value": [entry("Hard Delete user")]}
        return 200, {"value": [entry("Add user")] if "ada@contoso.com" in query else []}

    tenant = fake(batched(part))
    unknown = [
        finding(Kind.ABSENT, UserKey(account), standing=Standing.UNKNOWN) for account in (gone, new)
    ]
    after = tenant.run(lambda graph: explained(graph, drift(*unknown), NOW))

    assert [f.standing for f in after.findings] == [Standing.DRIFT, Standing.NOT_APPLIED]
    assert after.findings[0].evidence
    assert after.findings[0].evidence.activity == "Hard Delete user"
    assert "t/userPrincipalName eq 'o''hara@contoso.com'" in unquote(tenant.parts(0)[1]["url"])


def test_questions_are_bounded(fake: Callable[..., Fake], batched: Callable[..., Any]) -> None:
    """However many drifted, so many are asked about, twenty at a time; it says how many."""
    people = [
        Account(UserPrincipalName(f"p{n}@contoso.com"), ObjectId(f"id-{n}"))
        for n in range(MOST + 5)
    ]
    many = drift(*(finding(Kind.FIELD, UserKey(one), "city") for one in people))
    tenant = fake(batched(lambda _: (200, {"value": []})))
    after = tenant.run(lambda graph: explained(graph, many, NOW))

    assert [len(tenant.parts(n)) for n in range(len(tenant.sent))] == [20, 20, 20]
    assert (after.log.asked, after.log.wanted) == (MOST, MOST + 5)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "Graph does not give the audit log: Graph refused a read: 403"),
        (400, "the audit log could not be read: Graph refused a read: 400"),
        (404, "the audit log could not be read: Graph refused a read: 404"),
        (503, "the audit log could not be read: Graph is in trouble: 503"),
    ],
)
def test_silence(
    fake: Callable[..., Fake], batched: Callable[..., Any], status: int, said: str
) -> None:
    """Whatever the log answers, drift is told as it is, and why nobody is named."""
    error = {"error": {"code": "X", "message": "no license"}}
    tenant = fake(batched(lambda _: (status, error)))
    before = drift(finding(Kind.FIELD, path="city"))
    after = tenant.run(lambda graph: explained(graph, before, NOW))

    assert after.findings == before.findings
    assert after.log.silence
    assert after.log.silence.startswith(said)


def test_nothing_is_asked_in_vain(fake: Callable[..., Fake]) -> None:
    """Without drift, or without the permission, no request is sent."""

    def answer(_: httpx.Request) -> httpx.Response:
        raise AssertionError

    tenant = fake(answer, Signed({"roles": ["User.Read.All"]}))
    some = drift(finding(Kind.FIELD, path="city"))

    assert tenant.run(lambda graph: explained(graph, drift(), NOW)) == drift()
    after = tenant.run(lambda graph: explained(graph, some, NOW))
    assert after.log.silence == "the application is not granted AuditLog.Read.All"
    assert tenant.sent == []


@pytest.mark.parametrize(
    ("claims", "also"), [({"appid": "App"}, ()), ({"azp": "App"}, ()), ({}, ("APP",))]
)
def test_our_own_application(
    fake: Callable[..., Fake],
    batched: Callable[..., Any],
    claims: dict[str, str],
    also: tuple[str, ...],
) -> None:
    """The application that asks, and those that are said to apply, are ours."""
    by = {"app": {"appId": "app", "displayName": "Identity"}}
    item = entry("Update user", ("City", "", ""), initiatedBy=by)
    signed = Signed({"roles": ["AuditLog.Read.All"], **claims})
    tenant = fake(batched(lambda _: (200, {"value": [item]})), signed)
    before = drift(finding(Kind.FIELD, path="city"))
    after = tenant.run(lambda graph: explained(graph, before, NOW, also))

    assert after.findings[0].standing is Standing.NOT_APPLIED


def test_what_a_token_tells() -> None:
    """Whose it is, and whether it may read the log: where it does not tell, it may."""
    assert application(token(appid="a")) == "a"
    assert application(token(azp="b")) == "b"
    assert application(token()) is None
    assert application("nonsense") is None
    assert may_read_audit_log(token(roles=["AuditLog.Read.All"]))
    assert may_read_audit_log(token())
    assert not may_read_audit_log(token(roles=[]))


def test_whom_an_index_told_of_is_read_directly(
    peopled: Callable[..., AbstractContextManager[Tenancy]],
    crowd: Callable[..., Crowd],
    names: Callable[[str, int], list[str]],
    declared: Callable[..., DeclaredUser],
) -> None:
    """No drift hinges on what an index says: who seems to have drifted is asked for again."""
    number = AT_ONCE + 10
    slots = {"onPremisesExtensionAttributes": {"extensionAttribute15": "reconciler/beta"}}
    users = tuple(declared(name) for name in names("some", number))
    one = replace(users[0], fields={"department": "Research"})
    desired = Desired((one, *users[1:]), ())

    with peopled(crowd("some", number, department="Sales", **slots), groups={}) as tenant:
        environment = tenant.endpoints.environment

        async def ask() -> Drift:
            async with connect("global", environment) as graph:
                return await found(graph, desired, 0)

        (told,) = asyncio.run(ask()).findings
        again = [e for e in tenant.exchanges if "id in" in unquote(e.path)]

    assert (told.upn, told.path, told.actual) == (
        users[0].user_principal_name,
        "department",
        "Sales",
    )
    assert len(again) == 1
