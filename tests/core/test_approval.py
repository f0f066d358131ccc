from __future__ import annotations

import json as plain_json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.approval import AGAIN, Approved, NotApprovable, beyond, bystanders
from reconciler.approval import approved as read_approved
from reconciler.changes import Create, FieldChange, LicenseKey, Update, UserKey, Wave
from reconciler.config.validation import misfit
from reconciler.diagnostics import Position
from reconciler.model import Account, CohortName, ObjectId, UserPrincipalName
from reconciler.plan import Plan, build, without
from reconciler.render import json
from tests.render.conftest import FINGERPRINT, SSH

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model import FieldValue, Observed
    from tests.core.conftest import Given

BETA = CohortName("beta")
ADA = Account(UserPrincipalName("ada@contoso.com"), ObjectId("id-ada"))
HERE = Position("cohorts/beta.yaml", 12, 5)
TITLE = FieldChange("jobTitle", "Clerk", "Engineer")
CITY = FieldChange("city", None, "Bath")


def _update(*fields: FieldChange, account: Account = ADA, cohort: CohortName = BETA) -> Update:
    return Update(UserKey(account), cohort, Wave.USERS, fields, position=HERE)


@pytest.fixture
def plan(given: Given) -> Plan:
    """Plan to change two fields of one person and to give her a license."""
    e5 = LicenseKey(ADA, ObjectId("id-SPE_E5"), "SPE_E5")
    changes = (_update(TITLE, CITY), Create(e5, BETA, Wave.ENTITLEMENTS))
    return Plan(given.tenant, "us", "extensionAttribute15", changes, {})


def _document(plan: Plan) -> Any:  # noqa: ANN401 -- JSON
    return plain_json.loads(json(plan))


def approved(document: object) -> Approved:
    """Read *document* as the command does, by the published schema."""
    return read_approved(document, lambda plan: misfit(plan, "plan"))


def _told(plan: Plan, reviewed: Plan) -> list[str]:
    found = beyond(plan, approved(_document(reviewed)))
    assert all(diagnostic.hint == AGAIN for diagnostic in found)
    return [f"{diagnostic.position or '-'} {diagnostic.summary}" for diagnostic in found]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_update(TITLE), None),
        (_update(CITY, TITLE), None),
        (
            _update(replace(TITLE, after="Manager")),
            "jobTitle 'Clerk' → 'Engineer', now 'Clerk' → 'Manager'",
        ),
        (
            _update(replace(TITLE, before="Boss"), CITY),
            "jobTitle 'Clerk' → 'Engineer', now 'Boss' → 'Engineer'",
        ),
        (
            _update(TITLE, FieldChange("department", "R", None)),
            "department as it is, now 'R' → nothing",
        ),
        (
            _update(TITLE, account=replace(ADA, id=ObjectId("id-2"))),
            "of the account id-ada, which is another one now",
        ),
        (_update(TITLE, cohort=CohortName("gamma")), "for the cohort 'beta', now for 'gamma'"),
    ],
    ids=["less", "in another order", "to", "from", "more", "another account", "another cohort"],
)
def test_an_operation_that_differs(plan: Plan, change: Update, told: str | None) -> None:
    """Less is within what was approved; more, or something else, is told field by field."""
    summary = f"{HERE} update user 'ada@contoso.com' was approved otherwise: {told}"

    assert _told(replace(plan, changes=(change,)), plan) == ([summary] if told else [])


def test_an_operation_that_nobody_saw(plan: Plan) -> None:
    """What is not in the approved plan is named, with the line that asks for it."""
    seen = replace(plan, changes=plan.changes[:1])

    assert _told(plan, seen) == ["- create license 'SPE_E5' of 'ada@contoso.com' was not approved"]


def test_a_new_account_is_approved_as_a_whole(plan: Plan) -> None:
    """A new account with one field less is another account; its id may have come meanwhile."""
    nobody = replace(ADA, id=None)
    create = Create(UserKey(nobody), BETA, Wave.USERS, (CITY,))
    license_ = replace(plan.changes[1], key=replace(plan.changes[1].key, account=nobody))
    joining = replace(
        plan,
        changes=(replace(create, fields=(CITY, TITLE)), license_),
        recipients={BETA: ("age1priya",)},
    )

    assert _told(replace(joining, changes=(create,)), joining) == [
        (
            "- create user 'ada@contoso.com' was approved otherwise: "
            "jobTitle 'Clerk' → 'Engineer', now as it is"
        )
    ]
    assert _told(replace(plan, changes=plan.changes[1:]), joining) == []


def test_where_it_happens_is_approved_too(plan: Plan) -> None:
    """Another tenant, another mark and another recipient of credentials are told."""
    nobody = Account(UserPrincipalName("bob@contoso.com"))
    joining = replace(
        plan,
        changes=(Create(UserKey(nobody), BETA, Wave.USERS),),
        recipients={BETA: ("age1priya", "age1mallory")},
    )
    seen = replace(joining, recipients={BETA: ("age1priya",)})
    ssh = f"{SSH} \u202epriya"
    elsewhere = replace(joining, tenant=replace(plan.tenant, id=ObjectId("id-other")), source="we")

    assert _told(seen, joining) == []
    assert _told(elsewhere, seen) == [
        f"- the plan was approved for the tenant {plan.tenant.id}, and this is id-other",
        (
            "- the ownership mark was approved as us in extensionAttribute15, and is "
            "we in extensionAttribute15 now"
        ),
        (
            "- initial credentials of 'beta' would be sealed to 1 recipient that nobody approved: "
            "age1mallory"
        ),
    ]
    assert _told(replace(joining, recipients={BETA: (ssh, "age1priya")}), seen) == [
        (
            "- initial credentials of 'beta' would be sealed to 1 recipient that nobody approved: "
            f"ssh-ed25519 {FINGERPRINT} (calls itself 'kenji \\u{{202e}}priya')"
        )
    ]


def _changed(document: Any) -> None:  # noqa: ANN401 -- JSON
    document["changes"][0]["fields"][0]["after"] = "Manager"


def _cut(document: Any) -> None:  # noqa: ANN401 -- JSON
    document["changes"].pop()


def _refused(document: Any) -> None:  # noqa: ANN401 -- JSON
    document["applyable"] = False


def _emptied(document: Any) -> None:  # noqa: ANN401 -- JSON
    document.clear()


def _without_id(document: Any) -> None:  # noqa: ANN401 -- JSON
    del document["changes"][1]["user"]["id"]


def _with_more(document: Any) -> None:  # noqa: ANN401 -- JSON
    document["changes"][0]["fie\x1blds"] = "as a license"


def _of_another_kind(document: Any) -> None:  # noqa: ANN401 -- JSON
    document["changes"][0]["fields"] = {"path": "jobTitle"}


def _of_two_kinds(document: Any) -> None:  # noqa: ANN401 -- JSON
    document["changes"][1]["user"]["id"] = 7


def _of_the_future(document: Any) -> None:  # noqa: ANN401 -- JSON
    document["format_version"] = "2.0"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_changed, "its digest does not fit its operations"),
        (_cut, "its digest does not fit its operations"),
        (_refused, "it was refused by a guard"),
        (_emptied, "it is not the JSON form of a plan: the whole has no 'format_version'"),
        (_without_id, "it is not the JSON form of a plan: changes/1/user has no 'id'"),
        (_with_more, r"a plan: changes/0 has the unknown key 'fie\\u\{1b\}lds'"),
        (_of_another_kind, "a plan: changes/0/fields is no array"),
        (_of_two_kinds, "a plan: changes/1/user/id is no string and no null"),
        (_of_the_future, "a plan: format_version does not fit the rule `pattern` of plan.schema"),
    ],
)
def test_what_nobody_can_have_approved(plan: Plan, spoil: Callable[[Any], None], why: str) -> None:
    """A plan that was changed, cut short, refused, or is none by the schema approves nothing."""
    document = _document(plan)
    spoil(document)

    with pytest.raises(NotApprovable, match=why):
        approved(document)
    with pytest.raises(NotApprovable, match="not the JSON form"):
        approved([])


@pytest.fixture
def bystander(given: Given) -> Callable[..., tuple[Plan, Observed]]:
    """Give the plan for Ada, who joins, and Bob, who has the department that is observed."""

    def made(
        department: str, *, bob: dict[str, FieldValue] | None = None, **more: FieldValue
    ) -> tuple[Plan, Observed]:
        said = given.person("bob", fields=bob or {"department": "Research"})
        joiner = given.person("ada", fields={"usageLocation": "GB", **more})
        observed = given.observed(given.account("bob", fields={"department": department}))
        return build(given.desired(joiner, said), observed), observed

    return made


def test_what_only_the_tenant_asks_for_is_left_out(
    bystander: Callable[..., tuple[Plan, Observed]],
) -> None:
    """Who joins is applied as approved, although somebody else of the cohort has changed since."""
    reviewed = approved(_document(bystander("Research")[0]))
    plan, observed = bystander("Sales")

    others = bystanders(plan, reviewed)
    kept = without(plan, others, observed, others.values())

    assert [change.key.address for change in others] == ["user/bob@contoso.com"]
    assert [change.key.address for change in kept.changes] == ["user/ada@contoso.com"]
    assert beyond(kept, reviewed) == ()
    assert kept.digest == reviewed.digest
    (told,) = (note.summary for note in kept.notes if "left out" in note.summary)
    assert told == (
        "update user 'bob@contoso.com' is left out: the files say what they said when the plan "
        "was approved, so that this was changed in the tenant since"
    )


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({"bob": {"department": "Finance"}}, "update user 'bob@contoso.com' was not approved"),
        ({"manager": "bob@contoso.com"}, "manager"),
        ({"city": "Bath"}, "create user 'ada@contoso.com' was approved otherwise"),
    ],
    ids=["he was changed in the files", "she was given a manager", "she was changed"],
)
def test_what_the_files_ask_for_is_not_left_out(
    bystander: Callable[..., tuple[Plan, Observed]], now: dict[str, Any], told: str
) -> None:
    """Whatever the files say now and did not say when they were approved stops the apply."""
    reviewed = approved(_document(bystander("Research")[0]))
    plan, observed = bystander("Research", **now)

    others = bystanders(plan, reviewed)
    found = beyond(without(plan, others, observed, others.values()), reviewed)

    assert not others
    assert any(told in diagnostic.summary for diagnostic in found)


def test_whom_an_approved_change_needs_is_not_left_out(given: Given) -> None:
    """A manager who was deleted meanwhile would have to be made again, which nobody approved."""
    boss = given.person("boss")
    ada = given.person("ada", fields={"usageLocation": "GB", "manager": "boss@contoso.com"})
    desired = given.desired(ada, boss)
    reviewed = approved(_document(build(desired, given.observed(given.account("boss")))))

    plan = build(desired, given.observed())

    assert bystanders(plan, reviewed) == {}
    assert any("create user 'boss@contoso.com'" in d.summary for d in beyond(plan, reviewed))


def test_a_tenant_file_that_manages_more_asks_for_more(given: Given) -> None:
    """What it takes from people of whom nothing else was said is no matter of the tenant's."""
    person = given.person("bob")
    less = replace(given.file, groups=())
    held = given.observed(given.account("bob", groups=["Staff"]))
    reviewed = approved(_document(build(given.desired(person, file=less), held)))

    plan = build(given.desired(person), held)

    assert bystanders(plan, reviewed) == {}
    assert ["was not approved" in d.summary for d in beyond(plan, reviewed)] == [True]
