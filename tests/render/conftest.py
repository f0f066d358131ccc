"""Plans that tell stories, for every renderer; and an option to accept how they look."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.changes import (
    Adopt,
    Change,
    Create,
    Delete,
    FieldChange,
    LicenseKey,
    ManagerKey,
    MembershipKey,
    Reason,
    Restore,
    RoleAssignmentKey,
    Update,
    UserKey,
    Wave,
)
from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.model import Account, CohortName, Domain, ObjectId, Tenant, UserPrincipalName
from reconciler.plan import Plan, in_order_of_execution
from reconciler.seats import Seats

TENANT = Tenant(
    ObjectId("28d80e74-2d69-4bb9-b1e4-740c4cf0551f"),
    "Contoso",
    (Domain("contoso.com", is_verified=True),),
)
E5 = ObjectId("06ebc4ee-1bb5-47dd-8120-11324bc54e06")
BI = ObjectId("f8a1db68-be16-40ed-86d5-cb42ce701560")
STAFF = ObjectId("9d1f2a60-0000-4000-8000-000000000001")
ADMIN = ObjectId("fe930be7-5e62-47db-91af-98c3a49a38b1")
READER = ObjectId("f2ef992c-3afb-46b9-b7cf-a126ee74c451")
BETA = CohortName("beta-2026")
RESEARCH = CohortName("research-2026")
AGE = "age1rgcep0zp2gu26tzkzy7a5jdnhwd9jggmz9cy6c42lmfqzu7rmv4q9kjvrp"
SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFkdybMQfHIAtm0k93feGHUKQy/bLmIfx6NtyvGxpgr kenji"
FINGERPRINT = "SHA256:Fc1Hd3D2cTvltBKnqvwp20iHvkL3An8twFwAQ3Iqujc"
"""What `ssh-keygen -l` prints of it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `pytest tests/render --update-golden` accept how the plans look now."""
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden")


def person(name: str, number: int | None = None) -> Account:
    """Give an account: with an id where it exists."""
    identity = ObjectId(f"00000000-0000-4000-8000-{number:012}") if number else None
    return Account(UserPrincipalName(name), identity)


def joins(
    account: Account, display_name: str, cohort: CohortName, line: int, **fields: str
) -> list[Change]:
    """Give what a joiner gets: account, manager, license, group."""
    position = Position(f"cohorts/{cohort}.yaml", line, 5)
    values = {"displayName": display_name, **fields}
    account_fields = (
        FieldChange("userPrincipalName", None, account.user_principal_name),
        FieldChange("accountEnabled", None, True),  # noqa: FBT003 -- a value
        *(FieldChange(name, None, value) for name, value in sorted(values.items())),
        FieldChange("mark", None, f"contoso-identity/{cohort}"),
    )
    priya = person("priya@contoso.com", 90)
    plans = FieldChange("disabledPlans", None, ("YAMMER_ENTERPRISE",))
    return [
        Create(UserKey(account), cohort, Wave.USERS, account_fields, position=position),
        Create(
            ManagerKey(account, priya),
            cohort,
            Wave.ENTITLEMENTS,
            (FieldChange("manager", None, "priya@contoso.com"),),
            position=position,
        ),
        Create(
            LicenseKey(account, E5, "SPE_E5"),
            cohort,
            Wave.ENTITLEMENTS,
            (plans,),
            position=Position(f"cohorts/{cohort}.yaml", 9, 5),
        ),
        Create(
            MembershipKey(account, STAFF, "Research - All staff"),
            cohort,
            Wave.ENTITLEMENTS,
            position=Position(f"cohorts/{cohort}.yaml", 12, 10),
        ),
    ]


def role(account: Account, cohort: CohortName, name: str = "User Administrator") -> Create:
    """Give a role with everything a reviewer wants to know."""
    return Create(
        RoleAssignmentKey(account, ADMIN, name),
        cohort,
        Wave.ROLES,
        (
            FieldChange("justification", None, "Runs the beta programme's help desk"),
            FieldChange("ticket", None, "CHG0012345"),
        ),
        position=Position(f"cohorts/{cohort}.yaml", 14, 5),
    )


def a_plan(*changes: Change) -> Plan:
    """Give a plan of these changes, in order, whose cohorts have recipients."""
    ordered = in_order_of_execution(changes)
    cohorts = {c.cohort for c in ordered if isinstance(c, Create) and isinstance(c.key, UserKey)}
    return Plan(
        TENANT,
        "contoso-identity",
        "extensionAttribute15",
        ordered,
        dict.fromkeys(sorted(cohorts), (AGE, SSH)),
    )


def joiners() -> Plan:
    """Two people join one cohort, one another; one of them gets a role."""
    ada, grace, kenji = (person(f"{name}@contoso.com") for name in ("ada", "grace", "kenji"))
    plan = a_plan(
        *joins(ada, "Ada Lovelace", BETA, 20, department="Research", usageLocation="GB"),
        *joins(grace, "Grace Hopper", BETA, 23, department="Research", usageLocation="GB"),
        *joins(kenji, "山田 賢治", RESEARCH, 18, jobTitle="研究員", usageLocation="JP"),
        role(grace, BETA),
    )
    return replace(plan, seats=(Seats(E5, "SPE_E5", 1250, 12, 3, 0),))


def leavers() -> Plan:
    """One person is deleted, one blocked, one loses a license and changes department."""
    bob, carol, dan = (
        person("bob@contoso.com", 2),
        person("carol@contoso.com", 3),
        person("dan@contoso.com", 4),
    )
    gone = Reason.USER_NOT_DECLARED
    blocked = (
        FieldChange("accountEnabled", True, False),  # noqa: FBT003 -- values
        FieldChange("signInSessions", "valid", "revoked"),
    )
    plan = a_plan(
        Delete(
            RoleAssignmentKey(bob, ADMIN, "User Administrator", "/", ObjectId("ra-1")),
            BETA,
            Wave.REVOKE_ROLES,
            reason=gone,
        ),
        Delete(LicenseKey(bob, E5, "SPE_E5"), BETA, Wave.REVOKE_ENTITLEMENTS, reason=gone),
        Delete(UserKey(bob), BETA, Wave.LEAVERS, blocked, reason=gone),
        Delete(
            MembershipKey(carol, STAFF, "Research - All staff"),
            RESEARCH,
            Wave.REVOKE_ENTITLEMENTS,
            reason=gone,
        ),
        Update(UserKey(carol), RESEARCH, Wave.LEAVERS, blocked, reason=gone),
        Delete(
            LicenseKey(dan, BI, "POWER_BI_PRO"),
            BETA,
            Wave.REVOKE_ENTITLEMENTS,
            reason=Reason.NOT_DECLARED,
        ),
        Update(
            UserKey(dan),
            BETA,
            Wave.USERS,
            (
                FieldChange("department", "Sales", "Research"),
                FieldChange("officeLocation", "Building 5", None),
                FieldChange("otherMails", (), ("dan@example.com", "d@example.com")),
            ),
            position=Position("cohorts/beta-2026.yaml", 31, 5),
        ),
        Update(
            LicenseKey(dan, E5, "SPE_E5"),
            BETA,
            Wave.ENTITLEMENTS,
            (FieldChange("disabledPlans", ("SWAY",), ("SWAY", "YAMMER_ENTERPRISE")),),
            position=Position("cohorts/beta-2026.yaml", 9, 5),
        ),
        Update(
            ManagerKey(dan, person("priya@contoso.com", 90)),
            BETA,
            Wave.ENTITLEMENTS,
            (FieldChange("manager", "carol@contoso.com", "priya@contoso.com"),),
        ),
    )
    seats = (Seats(BI, "POWER_BI_PRO", 20, 0, 0, 1), Seats(E5, "SPE_E5", 50, 3, 0, 1))
    return replace(plan, seats=seats)


def returns() -> Plan:
    """One account is adopted, one restored; a manager is cleared; the plan has notes."""
    eve, finn = person("eve@contoso.com", 5), person("finn@contoso.com", 6)
    plan = a_plan(
        Adopt(
            UserKey(eve),
            BETA,
            Wave.USERS,
            (
                FieldChange("usageLocation", None, "GB"),
                FieldChange("mark", None, "contoso-identity/beta-2026"),
            ),
            position=Position("cohorts/beta-2026.yaml", 33, 5),
        ),
        Delete(
            ManagerKey(eve, None),
            BETA,
            Wave.ENTITLEMENTS,
            (FieldChange("manager", "carol@contoso.com", None),),
        ),
        Restore(UserKey(finn), BETA, Wave.USERS),
        Create(
            RoleAssignmentKey(finn, READER, "Reports Reader"),
            BETA,
            Wave.ROLES,
            (FieldChange("justification", None, "Reads the weekly report"),),
        ),
    )
    notes = (
        Diagnostic(
            "account 'old@contoso.com' of cohort 'gamma' is no longer declared; it is kept",
            "`removal: disable` or `removal: delete` in the tenant file would take it back",
            severity=Severity.NOTE,
        ),
        Diagnostic(
            "a group gives 'eve@contoso.com' SPE_E5 already; it is not assigned twice",
            None,
            Position("cohorts/beta-2026.yaml", 33, 5),
            Severity.NOTE,
        ),
    )
    return replace(plan, notes=notes)


def powers() -> Plan:
    """Roles, everywhere and in one unit, and groups that can hold some; of them one is left."""
    ada, bob = person("ada@contoso.com", 1), person("bob@contoso.com", 2)
    tier = ObjectId("9d1f2a60-0000-4000-8000-000000000002")
    unit = "/administrativeUnits/4b1a"
    everywhere = role(ada, BETA)
    return a_plan(
        everywhere,
        replace(everywhere, key=RoleAssignmentKey(ada, READER, "Reports Reader", unit), fields=()),
        Create(
            MembershipKey(ada, tier, "Tier 1", is_assignable_to_role=True), BETA, Wave.ENTITLEMENTS
        ),
        Create(MembershipKey(ada, STAFF, "Research - All staff"), BETA, Wave.ENTITLEMENTS),
        Delete(
            MembershipKey(bob, tier, "Tier 1", is_assignable_to_role=True),
            BETA,
            Wave.REVOKE_ENTITLEMENTS,
            reason=Reason.NOT_DECLARED,
        ),
    )


def refused() -> Plan:
    """One joiner too many for the seats."""
    plan = a_plan(*joins(person("ada@contoso.com"), "Ada Lovelace", BETA, 20))
    refusal = Diagnostic(
        "the plan needs 1 seat of SPE_E5 and 0 are free",
        "buy 1 seat, or take a license from somebody first",
        Position("cohorts/beta-2026.yaml", 9, 5),
    )
    return replace(plan, seats=(Seats(E5, "SPE_E5", 25, 0, 1, 0),), refusals=(refusal,))


def blocked() -> Plan:
    """Somebody who stays is blocked, one is adopted and one restored so; one moves; two leave."""
    eve, finn, gil, hana, ivo, jo = (
        person(f"{name}@contoso.com", number)
        for number, name in enumerate(("eve", "finn", "gil", "hana", "ivo", "jo"), start=5)
    )
    gone = Reason.USER_NOT_DECLARED
    blocking = (
        FieldChange("accountEnabled", True, False),  # noqa: FBT003 -- values
        FieldChange("signInSessions", "valid", "revoked"),
    )
    mark = FieldChange("mark", None, "contoso-identity/beta-2026")
    moved = FieldChange("mark", "contoso-identity/research-2026", "contoso-identity/beta-2026")
    title = FieldChange("jobTitle", "Analyst", "Lead analyst")
    return a_plan(
        Update(UserKey(eve), BETA, Wave.USERS, (*blocking, title)),
        Adopt(UserKey(finn), BETA, Wave.USERS, (*blocking, mark)),
        Restore(UserKey(gil), BETA, Wave.USERS, blocking),
        Update(UserKey(hana), BETA, Wave.USERS, (moved,)),
        Delete(UserKey(ivo), BETA, Wave.LEAVERS, reason=gone),
        Delete(LicenseKey(jo, E5, "SPE_E5"), BETA, Wave.REVOKE_ENTITLEMENTS, reason=gone),
    )


def kept() -> Plan:
    """Nothing changes: seven people left and are kept, and a group gives one a license."""
    left = (
        Diagnostic(
            f"account 'person{number}@contoso.com' is no longer declared; it is kept as it is",
            "`removal: disable` or `removal: delete` in the tenant file would take it back",
            severity=Severity.NOTE,
        )
        for number in range(1, 8)
    )
    place = Position("cohorts/beta-2026.yaml", 33, 5)
    given = Diagnostic("a group gives 'eve@contoso.com' SPE_E5", None, place, Severity.NOTE)
    return replace(a_plan(), notes=(*left, given))


HOSTILE = (
    "@everyone",
    "a | b",
    "`` `x` ``",
    "</details></code><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "#123 GH-4 :smile:",
    "www.evil.example https://evil.example evil@evil.example",
    "right\u202eto\u200fleft",
    "two\nlines\r\n\n# heading",
    "\x1b[31mred\x1b[0m",
    "*bold* _it_ ~~no~~ \\| \\",
    "| --- |",
    "   ",
    "&lt;b&gt; &#64;here",
    "``` ",
    "##[add-mask]Contoso",
    "::error::no",
    "C1 \u009b31m and a tag \U000e0041",
)


def powers_named(account: Account, name: str, tier: ObjectId) -> list[Change]:
    """Give a role and a membership that make privileged; all that is said of them is *name*."""
    group = MembershipKey(account, tier, name, is_assignable_to_role=True)
    said = (FieldChange("justification", None, name), FieldChange("ticket", None, name))
    return [
        Create(group, BETA, Wave.ENTITLEMENTS),
        Create(RoleAssignmentKey(account, ADMIN, name, f"/{name}"), BETA, Wave.ROLES, said),
    ]


def hostile() -> Plan:
    """Every name is an attempt on the reader."""
    changes: list[Change] = []
    for number, name in enumerate(HOSTILE):
        account = person(f"{number}{name}@contoso.com")
        cohort = CohortName(f"c{number}{name}")
        changes += joins(account, name, BETA, number + 1, department=name)
        changes += [
            Create(MembershipKey(account, ObjectId(str(number)), name), BETA, Wave.ENTITLEMENTS),
            *powers_named(account, name, ObjectId(f"t{number}")),
            Update(
                LicenseKey(person(name, 10), ObjectId(name), name),
                cohort,
                Wave.ENTITLEMENTS,
                (FieldChange("disabledPlans", (), (name,)),),
            ),
            Delete(
                MembershipKey(person(name, 10), ObjectId(str(number)), name),
                cohort,
                Wave.REVOKE_ENTITLEMENTS,
                reason=Reason.NOT_DECLARED,
            ),
            Update(
                UserKey(person(name, 10)),
                cohort,
                Wave.USERS,
                (FieldChange("department", name, name),),
            ),
        ]
    problems = tuple(Diagnostic(name, name, Position(f"cohorts/{name}", 1, 1)) for name in HOSTILE)
    return replace(
        a_plan(*changes),
        tenant=replace(TENANT, display_name=HOSTILE[3]),
        notes=problems,
        refusals=problems,
        seats=tuple(Seats(ObjectId(name), name, 1, 1, 1, 0) for name in HOSTILE),
        recipients={BETA: tuple(f"{SSH}{name}" for name in HOSTILE)},
    )


def huge() -> Plan:
    """Six hundred people join, one gets a role and one leaves."""
    changes: list[Change] = []
    for number in range(600):
        account = person(f"person{number:03}@contoso.com")
        changes += joins(account, f"Person {number}", BETA, 20 + number, department="Research")
    bob = person("bob@contoso.com", 2)
    gone = Reason.USER_NOT_DECLARED
    return a_plan(
        *changes,
        role(person("person599@contoso.com"), BETA),
        Delete(UserKey(bob), RESEARCH, Wave.LEAVERS, reason=gone),
    )


STORIES = {
    "joiners": joiners,
    "leavers": leavers,
    "returns": returns,
    "blocked": blocked,
    "powers": powers,
    "kept": kept,
    "refused": refused,
    "nothing": a_plan,
    "hostile": hostile,
    "huge": huge,
}


@pytest.fixture(scope="session")
def plans() -> dict[str, Plan]:
    """Give every story's plan by its name."""
    return {name: story() for name, story in STORIES.items()}


@pytest.fixture(params=STORIES)
def plan(request: pytest.FixtureRequest, plans: dict[str, Plan]) -> Plan:
    """Give each story's plan in turn."""
    return plans[request.param]


@pytest.fixture(params=[name for name in STORIES if name != "huge"])
def story(request: pytest.FixtureRequest) -> str:
    """Give the name of each story that is short enough to be read as a whole."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def hostile_names() -> tuple[str, ...]:
    """Give the names that the hostile story is made of."""
    return HOSTILE
