from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.diagnostics import Position
from reconciler.fields import FIELDS

if TYPE_CHECKING:
    from reconciler.model import FieldValue
    from tests.config.conftest import Repository

ADA = "userPrincipalName: ada@contoso.com"


def test_own_values_win_over_defaults(repository: Repository) -> None:
    """A default holds for whoever does not say otherwise, and null is saying so."""
    more = "defaults: {department: Research, city: London, jobTitle: Engineer}\n"
    users = f"  - {{{ADA}, displayName: Ada, city: Paris, jobTitle: null}}\n"

    person = repository.people(users, more)[0]

    assert person.fields == {
        "department": "Research",
        "city": "Paris",
        "jobTitle": None,
        "displayName": "Ada",
    }
    assert person.where("department") == Position("c.yaml", 4, 24)
    assert person.where("city") == Position("c.yaml", 6, 66)
    assert person.where("surname") == person.position == Position("c.yaml", 6, 5)
    assert list(person.positions) == [
        "userPrincipalName", "displayName", "city", "jobTitle", "department",
    ]  # fmt: skip
    assert len(person.positions) == 5


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        ("accountEnabled: false", "accountEnabled", False),
        ("usageLocation: gb", "usageLocation", "GB"),
        ("usageLocation: No", "usageLocation", "NO"),
        ("employeeHireDate: 2026-09-01", "employeeHireDate", "2026-09-01T00:00:00Z"),
        ("employeeHireDate: null", "employeeHireDate", None),
        ("businessPhones: [+44 1]", "businessPhones", ("+44 1",)),
        ("businessPhones: null", "businessPhones", ()),
        ("otherMails: []", "otherMails", ()),
        ("ageGroup: null", "ageGroup", None),
        ("manager: null", "manager", None),
        ("manager: 1B2d6c5e-0000-4000-8000-000000000000", "manager",
         "1B2d6c5e-0000-4000-8000-000000000000"),
        ("mailNickname: a!#'*+-./=?^_`{|}~1", "mailNickname", "a!#'*+-./=?^_`{|}~1"),
        ("employeeId: 007", "employeeId", "007"),
    ],
)  # fmt: skip
def test_a_field_has_the_form_that_graph_has(
    repository: Repository, written: str, field: str, value: FieldValue
) -> None:
    """Values are read as Graph would give them back."""
    users = f"  - {ADA}\n    displayName: Ada\n    {written}\n"

    assert repository.people(users)[0].fields[field] == value


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("displayName: Countess", "Countess"),
        ("givenName: Ada, surname: Lovelace", "Ada Lovelace"),
        ("givenName: Ada, surname: Lovelace, displayName: Countess", "Countess"),
        ("adopt: true", None),
    ],
)
def test_the_display_name_is_declared_or_made(
    repository: Repository, written: str, name: str | None
) -> None:
    """It is made from both names, but only what is declared is managed."""
    person = repository.people(f"  - {{{ADA}, {written}}}\n")[0]

    assert person.display_name == name
    assert ("displayName" in person.fields) is ("displayName" in written)


def test_a_default_manager_is_passed_over_for_the_manager(repository: Repository) -> None:
    """Who manages everybody does not manage themselves."""
    more = "defaults: {manager: ADA@contoso.com}\n"
    users = f"  - {{{ADA}, displayName: Ada}}\n  - {{userPrincipalName: b@c.de, displayName: B}}\n"

    ada, other = repository.people(users, more)

    assert "manager" not in ada.fields
    assert other.fields["manager"] == "ADA@contoso.com"


@pytest.mark.parametrize("upn", ["a.b'c-d_e!f#g^h~i$@contoso.com", f"{'a' * 64}@{'b' * 44}.com"])
def test_every_user_principal_name_that_graph_allows_is_allowed(
    repository: Repository, upn: str
) -> None:
    """The longest and the strangest are read as they are."""
    person = repository.people(f'  - {{userPrincipalName: "{upn}", displayName: A}}\n')[0]

    assert person.user_principal_name == upn


@pytest.mark.parametrize(
    ("upn", "told"),
    [
        ("ada", "is not of the form name@domain\n  hint: for example, ada@contoso.com"),
        ("@contoso.com", "is not of the form name@domain\n  hint: for example, ada@contoso.com"),
        ("zoë@contoso.com", ("holds U+00EB LATIN SMALL LETTER E WITH DIAERESIS\n"
         "  hint: letters a to z, digits and ' . - _ ! # ^ ~ $ are allowed before the @")),
        ("ada.@contoso.com", "has a dot right before the @\n  hint: remove the dot"),
        (f"{'a' * 65}@b.cd", ("has 65 characters before the @\n"
         "  hint: at most 64 are allowed there")),
        (f"a@{'b' * 47}.cd", ("has 50 characters after the @\n"
         "  hint: at most 48 are allowed there")),
        ("ada@contoso", "has no domain after the @\n  hint: for example, ada@contoso.com"),
    ],
)  # fmt: skip
def test_a_user_principal_name_says_which_rule_it_breaks(
    repository: Repository, head: str, upn: str, told: str
) -> None:
    """What Graph would refuse is refused with the rule and the place."""
    content = f"{head}users:\n  - {{displayName: A, userPrincipalName: '{upn}'}}\n"
    shown = upn if len(upn) <= 60 else f"{upn[:60]}…"

    assert repository.told_of(content) == [
        f"c.yaml:5:41: error: userPrincipalName '{shown}' {told}"
    ]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("departement: X", ("c.yaml:6:5: error: unknown key 'departement'\n"
         "  hint: did you mean 'department'?")),
        ("jobTitle: ''", ("c.yaml:6:15: error: jobTitle is empty\n"
         "  hint: write null to clear it")),
        ("surname: ' '", ("c.yaml:6:14: error: surname is empty\n"
         "  hint: write null to clear it")),
        ("mailNickname: ''", ("c.yaml:6:19: error: mailNickname is empty\n"
         "  hint: give it a value")),
        ("mailNickname: null", ("c.yaml:6:19: error: mailNickname cannot be null\n"
         "  hint: leave it out, or put it in quotes if it is a name")),
        ("usageLocation: null", ("c.yaml:6:20: error: usageLocation cannot be null\n"
         "  hint: leave it out, or put it in quotes if it is a name")),
        ("accountEnabled: null", ("c.yaml:6:21: error: accountEnabled cannot be null\n"
         "  hint: leave it out, or give it a value")),
        ("accountEnabled: yes", ("c.yaml:6:21: error: accountEnabled must be true or false, "
         "not text\n  hint: write true or false, without quotes")),
        ("usageLocation: UK", ("c.yaml:6:20: error: usageLocation 'UK' is not an "
         "ISO 3166-1 alpha-2 code\n  hint: did you mean 'GB'?")),
        ("usageLocation: Germany", ("c.yaml:6:20: error: usageLocation 'Germany' is not an "
         "ISO 3166-1 alpha-2 code\n  hint: did you mean 'DE'?")),
        ("usageLocation: QQ", ("c.yaml:6:20: error: usageLocation 'QQ' is not an "
         "ISO 3166-1 alpha-2 code\n  hint: write two letters, such as GB")),
        ("mailNickname: a b", ("c.yaml:6:19: error: mailNickname 'a b' must be ASCII without "
         'spaces and without @ ( ) \\ [ ] " ; : < > ,\n  hint: it holds U+0020 SPACE')),
        ("employeeHireDate: 1.9.2026", ("c.yaml:6:23: error: employeeHireDate '1.9.2026' must be "
         "a date such as 2026-09-01\n  hint: write 2026-09-01")),
        ("employeeHireDate: 2026-02-30", ("c.yaml:6:23: error: employeeHireDate '2026-02-30' is "
         "no day of the calendar\n  hint: write it as year-month-day")),
        ("ageGroup: adult", ("c.yaml:6:15: error: ageGroup 'adult' is not one of Minor, NotAdult, "
         "Adult\n  hint: did you mean 'Adult'?")),
        ("ageGroup: [Adult]", ("c.yaml:6:15: error: ageGroup must be one of Minor, NotAdult, "
         "Adult\n  hint: write Minor, NotAdult or Adult")),
        ("ageGroup: child", ("c.yaml:6:15: error: ageGroup 'child' is not one of Minor, NotAdult, "
         "Adult\n  hint: write Minor, NotAdult or Adult")),
        ("city: [London]", ("c.yaml:6:11: error: city must be text, not a list\n"
         "  hint: put text that starts with a bracket or a hyphen in quotes")),
        ("city: {a: b}", ("c.yaml:6:11: error: city must be text, not a mapping of keys to values\n"
         "  hint: put text that starts with a bracket or a hyphen in quotes")),
        ("businessPhones: '1'", ("c.yaml:6:21: error: businessPhones must be a list, not text\n"
         "  hint: write each item on a line of its own, after a hyphen")),
        ("businessPhones: ['1', '2']", ("c.yaml:6:21: error: businessPhones has 2 items; "
         "1 are allowed\n  hint: remove 1")),
        ("otherMails: ['']", ("c.yaml:6:18: error: item 1 of otherMails is empty\n"
         "  hint: give it a value")),
        ("manager: ADA@contoso.com", ("c.yaml:6:14: error: 'ada@contoso.com' is their own manager\n"
         "  hint: name somebody else, or write null for nobody")),
        ("manager: Priya", ("c.yaml:6:14: error: manager 'Priya' must be a user principal name or "
         "an object id\n  hint: for example, priya@contoso.com")),
        ("employeeId: '12345678901234567'", ("c.yaml:6:17: error: employeeId has 17 characters; "
         "16 are allowed\n  hint: shorten it by 1")),
        ("displayName: null", ("c.yaml:6:18: error: displayName cannot be null\n"
         "  hint: leave it out, or put it in quotes if it is a name")),
        ("userPrincipalName: b@c.de", ("c.yaml:6:5: error: key 'userPrincipalName' is given twice, "
         "first at c.yaml:5:5\n  hint: keep one of them")),
    ],
)  # fmt: skip
def test_a_field_that_graph_would_refuse_is_refused(
    repository: Repository, head: str, written: str, told: str
) -> None:
    """Every rule about one value is told with the value's place and a remedy."""
    names = "" if "displayName" in written else "    displayName: Ada\n"
    content = f"{head}users:\n  - {ADA}\n    {written}\n{names}"

    assert repository.told_of(content) == [told]


@pytest.mark.parametrize(
    "field", [field for field in FIELDS if field.max_length], ids=lambda field: str(field.name)
)
def test_length_limits_are_graphs(repository: Repository, head: str, field: object) -> None:
    """One character more than Graph allows is told, for each field that has a limit."""
    name, limit = getattr(field, "name", ""), getattr(field, "max_length", 0)
    is_list = name in {"businessPhones", "otherMails"}
    value = "x" * (limit + 1)
    other = "" if name == "displayName" else "    displayName: Ada\n"
    entry = f"    {name}: {[value] if is_list else value}\n"

    told = repository.told_of(f"{head}users:\n  - {ADA}\n{other}{entry}")

    if name == "usageLocation":
        assert "'xxx' is not an ISO 3166-1 alpha-2 code" in told[0]
    else:
        subject = f"item 1 of {name}" if is_list else name
        assert f"{subject} has {limit + 1:,} characters; {limit} are allowed" in told[0]


def test_a_person_without_a_name_is_told(repository: Repository, head: str) -> None:
    """A new account needs to be called something."""
    content = f"{head}users:\n  - {{{ADA}, givenName: Ada}}\n"

    assert repository.told_of(content) == [
        (
            "c.yaml:5:5: error: 'ada@contoso.com' has no name\n"
            "  hint: write a displayName, or givenName and surname"
        )
    ]


def test_a_default_that_is_wrong_is_told_once(repository: Repository, head: str) -> None:
    """Defaults are judged where they are written, whoever they reach."""
    users = "".join(f"  - {{userPrincipalName: u{n}@c.de, displayName: U}}\n" for n in range(3))
    content = f"{head}defaults: {{usageLocation: EL}}\nusers:\n{users}"

    assert repository.told_of(content) == [
        (
            "c.yaml:4:27: error: usageLocation 'EL' is not an ISO 3166-1 alpha-2 code\n"
            "  hint: did you mean 'GR'?"
        )
    ]
