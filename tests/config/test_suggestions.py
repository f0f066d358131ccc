from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.config.conftest import Repository

MAPPING = "must be a mapping of keys to values, not"
EACH = "write each item on a line of its own"
JUSTIFIED = "and, on the next line, justification: with the reason"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("licenses: [SPE_E3]", (f"12: error: item 1 of licenses {MAPPING} text\n"
         "  hint: write - sku: SPE_E3")),
        ("licenses: [[SPE_E3]]", (f"12: error: item 1 of licenses {MAPPING} a list\n"
         "  hint: write - sku: SPE_E5")),
        ("licenses: SPE_E3", ("11: error: licenses must be a list, not text\n"
         f"  hint: {EACH}, as in - sku: SPE_E3")),
        ("roles: [Reports Reader]", (f"9: error: item 1 of roles {MAPPING} text\n"
         f"  hint: write - role: Reports Reader {JUSTIFIED}")),
        ("roles: {role: Reports Reader}", ("8: error: roles must be a list, not a mapping of keys "
         f"to values\n  hint: {EACH}, as in - role: Reports Reader {JUSTIFIED}")),
        ("groups: {Staff: x}", ("9: error: groups must be a list, not a mapping of keys to values\n"
         f"  hint: {EACH}, as in - Research - All staff")),
        ("groups: [{group: Staff}]", ("10: error: item 1 of groups must be text, not a mapping of "
         "keys to values\n  hint: write - Staff")),
        ("credentials: {recipients: age1abc}", ("27: error: recipients must be a list, not text\n"
         f"  hint: {EACH}, after a hyphen")),
        ("credentials: age1abc", (f"14: error: credentials {MAPPING} text\n"
         "  hint: write its keys on the lines below it, such as recipients:")),
        ("defaults: []", (f"11: error: defaults {MAPPING} a list\n"
         "  hint: write its keys on the lines below it, such as accountEnabled:")),
        ("defaults: {otherMails: [[a]]}", ("25: error: item 1 of otherMails must be text, not a "
         "list\n  hint: put text that starts with a bracket or a hyphen in quotes")),
    ],
)  # fmt: skip
def test_a_value_of_another_form_is_shown_in_its_own(
    repository: Repository, written: str, told: str
) -> None:
    """What the other file's form is, or nobody's, is answered with the line to write."""
    assert repository.told_of(f"version: 1\ncohort: c\nusers: []\n{written}\n") == [
        f"c.yaml:4:{told}"
    ]


@pytest.mark.parametrize(
    ("users", "told"),
    [
        (" [bob@contoso.com]", (f"3:9: error: item 1 of users {MAPPING} text\n"
         "  hint: write - userPrincipalName: bob@contoso.com")),
        (" {bob@contoso.com: {city: Leeds}}", ("3:8: error: users must be a list, not a mapping of "
         f"keys to values\n  hint: {EACH}, as in - userPrincipalName: bob@contoso.com")),
        (" {userPrincipalName: bob@contoso.com}", ("3:8: error: users must be a list, not a "
         f"mapping of keys to values\n  hint: {EACH}, as in - userPrincipalName: bob@contoso.com")),
        (" bob", ("3:8: error: users must be a list, not text\n"
         f"  hint: {EACH}, as in - userPrincipalName: ada@contoso.com")),
        ("\n  -city: Leeds", ("4:3: error: users must be a list, not a mapping of keys to values\n"
         "  hint: write a space after each hyphen")),
        (" {}", ("3:8: error: users must be a list, not a mapping of keys to values\n"
         "  hint: write [] for an empty list")),
    ],
)  # fmt: skip
def test_people_in_another_form_are_shown_in_theirs(
    repository: Repository, users: str, told: str
) -> None:
    """Names alone, or a mapping of names, are answered with an entry to write."""
    assert repository.told_of(f"version: 1\ncohort: c\nusers:{users}\n") == [f"c.yaml:{told}"]


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("hello\n", "start with version: 1, and give each value a key"),
        ("version:1\ncohort:c\n", "write a space after each colon"),
    ],
)
def test_a_file_that_is_only_text_is_told_how_to_start(
    repository: Repository, content: str, hint: str
) -> None:
    """Text without keys is no cohort, and colons without spaces make no keys."""
    assert repository.told_of(content) == [
        f"c.yaml:1:1: error: the file {MAPPING} text\n  hint: {hint}"
    ]


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("31.12.2026", "write 2026-12-31"),
        ("1. 9. 2026", "write 2026-09-01"),
        ("31/12/2026", "write 2026-12-31"),
        ("12/31/2026", "write 2026-12-31"),
        ("2026/1/5", "write 2026-01-05"),
        ("05/06/2026", "write it as year-month-day"),
        ("31.13.2026", "write it as year-month-day"),
        ("31.12.26", "write it as year-month-day"),
        ("soon", "write it as year-month-day"),
    ],
)
def test_a_date_in_another_order_is_put_in_order(
    repository: Repository, written: str, hint: str
) -> None:
    """Where day and month cannot be told apart, nothing is guessed."""
    content = f"version: 1\ncohort: c\nusers: []\ndefaults: {{employeeHireDate: {written}}}\n"

    assert repository.told_of(content) == [
        (
            f"c.yaml:4:30: error: employeeHireDate '{written}' must be a date such as 2026-09-01\n"
            f"  hint: {hint}"
        )
    ]


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("Beta 2026", "did you mean 'beta-2026'?"),
        ("Équipe_A!", "did you mean 'equipe-a'?"),
        ("東京", "for example, research-2026"),
        ("-beta", "did you mean 'beta'?"),
        ("con", "did you mean 'cohort-con'?"),
        ("LPT1", "did you mean 'cohort-lpt1'?"),
        ("../beta", "did you mean 'beta'?"),
    ],
)
def test_a_cohort_is_offered_a_name_that_it_can_have(
    repository: Repository, written: str, hint: str
) -> None:
    """The nearest allowed name says more than which character is not allowed."""
    assert repository.told_of(f"version: 1\ncohort: {written}\nusers: []\n") == [
        (
            f"c.yaml:2:9: error: cohort '{written}' must be lower-case letters, digits and "
            f"hyphens, a letter or digit first, and no device such as con\n  hint: {hint}"
        )
    ]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "…"),
        ("x" * 99, f"{'x' * 60}…"),
        ("Keyjockeys_of_the_north", "Keyjockeys_of_the_north"),
    ],
    ids=["a token", "long text", "what only resembles a token"],
)
def test_a_hint_quotes_no_token_and_nothing_long(
    repository: Repository, written: str, shown: str
) -> None:
    """What was written in the wrong place may be a secret."""
    told = repository.told_of(f"version: 1\ncohort: c\nusers: []\nlicenses: [{written}]\n")

    assert [message.partition("hint: ")[2] for message in told] == [f"write - sku: {shown}"]
