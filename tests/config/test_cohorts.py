from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.config.scrutiny import PRIVATE_KEY_HINT
from reconciler.model import DeclaredGroup, DeclaredLicense, DeclaredRole, Desired

if TYPE_CHECKING:
    from reconciler.diagnostics import Diagnostic
    from tests.config.conftest import Repository

KEY = f"error: the file holds a private key\n  hint: {PRIVATE_KEY_HINT}"
ADA = "userPrincipalName: ada@contoso.com, displayName: Ada"
SHARED = """\
licenses: [{sku: SPE_E5, disabledPlans: [A]}, {sku: SPE_E3}]
groups: [Staff, Research]
roles: [{role: Reader, justification: Reads}]
"""


def license_(item: DeclaredLicense) -> tuple[str, tuple[str, ...] | None, int]:
    """Give what a license says, and its line."""
    return item.sku, item.disabled_plans, item.position.line


def group(item: DeclaredGroup) -> tuple[str, int]:
    """Give what a group says, and its line."""
    return item.group, item.position.line


def role(item: DeclaredRole) -> tuple[str, str, str | None, int]:
    """Give what a role says, and its line."""
    return item.role, item.justification, item.ticket, item.position.line


def test_a_cohort_is_read_whole(repository: Repository, head: str) -> None:
    """Name, purpose and keys come with the place of the name."""
    repository.write("c.yaml", f"{head}description: Beta\nrequester: priya\nusers: []\n")

    (cohort,) = repository.load("c.yaml").cohorts

    assert (cohort.name, cohort.description, cohort.requester) == ("c", "Beta", "priya")
    assert [key[:6] for key in cohort.recipients] == ["age1rg"]
    assert str(cohort.position) == "c.yaml:2:9"


def test_an_empty_folder_but_for_the_tenant_file_is_valid(
    repository: Repository, tenant: str
) -> None:
    """A repository may declare nobody."""
    repository.write("tenant.yaml", tenant)

    desired = repository.load(".")

    assert (desired.users, desired.cohorts, desired.scope) == ((), (), None)


def test_without_files_beside_it_the_tool_is_additive(repository: Repository) -> None:
    """No tenant file: anything may be asked for, and nothing is managed."""
    repository.write("c.yaml", "version: 1\ncohort: c\nusers: []\n")

    assert repository.load("c.yaml").tenant_file == Desired((), ()).tenant_file


def test_everybody_holds_what_the_cohort_asks_for(repository: Repository) -> None:
    """What stands at the cohort is everybody's, in its order, at its place."""
    (person,) = repository.people(f"  - {{{ADA}}}\n", SHARED)

    assert list(map(license_, person.licenses)) == [("SPE_E5", ("A",), 4), ("SPE_E3", None, 4)]
    assert list(map(group, person.groups)) == [("Staff", 5), ("Research", 5)]
    assert list(map(role, person.roles)) == [("Reader", "Reads", None, 6)]


def test_own_entitlements_are_added_and_win(repository: Repository) -> None:
    """A person's own entry counts where it names what the cohort names, in any case."""
    own = """\
  - userPrincipalName: ada@contoso.com
    displayName: Ada
    licenses: [{sku: spe_e5, disabledPlans: []}, {sku: POWER_BI_PRO}]
    groups: [staff, Beta]
    roles: [{role: READER, justification: Writes, ticket: 0042}]
  - {userPrincipalName: bob@contoso.com, displayName: Bob}
"""

    ada, bob = repository.people(own, SHARED)

    assert list(map(license_, ada.licenses)) == [
        ("SPE_E3", None, 4), ("spe_e5", (), 10), ("POWER_BI_PRO", None, 10),
    ]  # fmt: skip
    assert list(map(group, ada.groups)) == [("Research", 5), ("staff", 11), ("Beta", 11)]
    assert list(map(role, ada.roles)) == [("READER", "Writes", "0042", 12)]
    assert len(bob.licenses) == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(
            "cohort: c\nusers: []\n",
            ["c.yaml:1:1: error: 'version' is missing\n  hint: for example, version: 1"],
            id="no version",
        ),
        pytest.param(
            "{}",
            [
                (
                    "c.yaml:1:1: error: 'cohort' is missing\n"
                    "  hint: for example, cohort: research-2026"
                ),
                "c.yaml:1:1: error: 'users' is missing\n  hint: for example, users: []",
                "c.yaml:1:1: error: 'version' is missing\n  hint: for example, version: 1",
            ],
            id="nothing",
        ),
        pytest.param(
            "version: 2\ncohort: c\nusers: []\n",
            ["c.yaml:1:10: error: version must be 1, not 2\n  hint: write version: 1"],
            id="a version to come",
        ),
        pytest.param(
            "version: '1'\ncohort: c\nusers: []\n",
            [
                (
                    "c.yaml:1:10: error: version must be a whole number, not text\n"
                    "  hint: write decimal digits, without quotes"
                )
            ],
            id="a version in quotes",
        ),
        pytest.param(
            "version: 1\ncohort: Beta_1\nusers: []\n",
            [
                (
                    "c.yaml:2:9: error: cohort 'Beta_1' must be lower-case letters, digits and "
                    "hyphens, a letter or digit first, and no device such as con\n"
                    "  hint: did you mean 'beta-1'?"
                )
            ],
            id="a name with capitals",
        ),
        pytest.param(
            f"version: 1\ncohort: {'c' * 65}\nusers: []\n",
            [
                (
                    "c.yaml:2:9: error: cohort has 65 characters; 64 are allowed\n"
                    "  hint: shorten it by 1"
                )
            ],
            id="a long name",
        ),
        pytest.param(
            "version: 1\ncohort: c\nusers:\n",
            ["c.yaml:3:7: error: users cannot be null\n  hint: write [] for an empty list"],
            id="nobody, not even a list",
        ),
        pytest.param(
            "version: 1\ncohort: c\nusers: [ada, ~]\n",
            [
                (
                    "c.yaml:3:9: error: item 1 of users must be a mapping of keys to values, not "
                    "text\n  hint: write - userPrincipalName: ada@contoso.com"
                ),
                (
                    "c.yaml:3:14: error: item 2 of users cannot be null\n"
                    "  hint: leave it out, or give it a value"
                ),
            ],
            id="people who are none",
        ),
        pytest.param(
            "version: 1\ncohort: c\nusers: []\nlicenses: [SPE_E5]\n",
            [
                (
                    "c.yaml:4:12: error: item 1 of licenses must be a mapping of keys to values, "
                    "not text\n  hint: write - sku: SPE_E5"
                )
            ],
            id="a license that is only a name",
        ),
        pytest.param(
            "version: 1\ncohort: c\nusers: []\nlicenses: [{disabledPlans: []}]\n",
            [
                (
                    "c.yaml:4:12: error: 'sku' is missing in item 1 of licenses\n"
                    "  hint: for example, sku: SPE_E5"
                )
            ],
            id="a license without a name",
        ),
        pytest.param(
            "version: 1\ncohort: c\nusers: []\nroles: [{role: R}, {role: S, justification: ' '}]\n",
            [
                (
                    "c.yaml:4:9: error: 'justification' is missing in item 1 of roles\n"
                    "  hint: for example, justification: Answers the pilot's first-line questions"
                ),
                "c.yaml:4:45: error: justification is empty\n  hint: give it a value",
            ],
            id="roles without a reason",
        ),
        pytest.param(
            "version: 1\ncohort: c\nusers: []\nlicenses: [{sku: SPE_E5}, {sku: spe_e5}]\n"
            "groups: [Staff, staff]\nroles: [&r {role: R, justification: J}, *r]\n",
            [
                (
                    "c.yaml:4:33: error: license 'spe_e5' is given twice, first at c.yaml:4:18\n"
                    "  hint: keep one of them"
                ),
                (
                    "c.yaml:5:17: error: group 'staff' is given twice, first at c.yaml:5:10\n"
                    "  hint: keep one of them"
                ),
                (
                    "c.yaml:6:19: error: role 'R' is given twice, first at c.yaml:6:19\n"
                    "  hint: keep one of them"
                ),
            ],
            id="everything twice",
        ),
        pytest.param(
            "version: 1\ncohort: c\nlicense: []\nusers: []\n",
            ["c.yaml:3:1: error: unknown key 'license'\n  hint: did you mean 'licenses'?"],
            id="an unknown key",
        ),
    ],
)
def test_a_cohort_of_another_shape_is_refused(
    repository: Repository, content: str, told: list[str]
) -> None:
    """What is missing, blank, twice or of another kind is told with its place."""
    assert repository.told_of(content) == told


def test_one_mistake_does_not_hide_the_next_person(repository: Repository, head: str) -> None:
    """Who is declared wrongly is left out; the others are checked to the end."""
    content = (
        f"{head}unknown: 1\nusers:\n"
        "  - {userPrincipalName: a@b.cd, displayName: A, city: ''}\n"
        "  - {userPrincipalName: b@b.cd, usageLocation: UK}\n"
        "  - {userPrincipalName: A@b.cd, displayName: A, extra: 1, usageLocation: EL}\n"
    )

    summaries = [diagnostic.summary for diagnostic in _errors(repository, content)]

    assert summaries == [
        "unknown key 'unknown'",
        "city is empty",
        "'b@b.cd' has no name",
        "usageLocation 'UK' is not an ISO 3166-1 alpha-2 code",
        "user 'A@b.cd' is given twice, first at c.yaml:6:25",
        "unknown key 'extra'",
        "usageLocation 'EL' is not an ISO 3166-1 alpha-2 code",
    ]


def _errors(repository: Repository, content: str) -> tuple[Diagnostic, ...]:
    repository.write("c.yaml", content)
    return repository.errors("c.yaml").diagnostics


@pytest.mark.parametrize(
    ("recipient", "told"),
    [
        (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8sX8sgJ5pMGhWodoG90p1yTIzKCJVfUH7hIa+PAEd7",
            None,
        ),
        ("AGE-SECRET-KEY-1QQQQ", f"c.yaml:3:29: {KEY}"),
        ("age-secret-key-1qqqq", f"c.yaml:3:29: {KEY}"),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            f"c.yaml:3:29: {KEY}",
        ),
        (
            "age1ABC",
            ("c.yaml:3:28: error: recipient 1 is damaged\n"
            "  hint: part of it is missing or mistyped, so copy the whole line again"),
        ),
        (
            "hunter2",
            ("c.yaml:3:28: error: recipient 1 is not a public key of age (age1…) or of SSH "
            "(ssh-ed25519 or ssh-rsa)\n"
            "  hint: name the public key of a person who hands the credentials out"),
        ),
        (
            "ecdsa-sha2-nistp256 AAAA",
            ("c.yaml:3:28: error: recipient 1 is an ecdsa key, which age cannot encrypt to\n"
            "  hint: use an ssh-ed25519 or age1… key"),
        ),
        (
            "sk-ssh-ed25519@openssh.com AAAA",
            ("c.yaml:3:28: error: recipient 1 is an SSH key on a hardware token (sk-…), which age "
            "cannot encrypt to\n  hint: use an ssh-ed25519 or age1… key"),
        ),
        (" ", "c.yaml:3:28: error: item 1 of recipients is empty\n  hint: give it a value"),
    ],
)  # fmt: skip
def test_recipients_are_public_keys_of_a_known_kind_and_never_quoted(
    repository: Repository, recipient: str, told: str | None
) -> None:
    """A private key is refused without a word of it, an unknown kind with its name."""
    repository.write(
        "c.yaml",
        f"version: 1\ncohort: c\ncredentials: {{recipients: ['{recipient}']}}\nusers: []\n",
    )
    if told is None:
        assert repository.load("c.yaml").cohorts[0].recipients == (recipient,)
        return

    (message,) = repository.told("c.yaml")

    assert message == told
    assert f"'{recipient}'" not in message
    assert "QQQQ" not in message.upper()


@pytest.mark.parametrize(
    ("credentials", "users", "told"),
    [
        ("", "[]", []),
        ("", "[{userPrincipalName: a@b.cd, adopt: true}]", []),
        (
            "",
            (
                "[{userPrincipalName: a@b.cd, adopt: true}, {userPrincipalName: b@b.cd, "
                "displayName: B}]"
            ),
            [
                (
                    "c.yaml:2:9: error: 'credentials' is missing: nobody could open the initial "
                    "credentials\n  hint: list the public keys of those who hand them out under "
                    "credentials.recipients"
                )
            ],
        ),
        (
            "credentials: {}\n",
            "[]",
            [
                (
                    "c.yaml:3:14: error: 'recipients' is missing in credentials\n"
                    '  hint: for example, recipients: ["ssh-ed25519 AAAA… priya"]'
                )
            ],
        ),
        (
            "credentials: {recipients: []}\n",
            "[]",
            ["c.yaml:3:27: error: recipients is empty\n  hint: name at least one"],
        ),
    ],
    ids=["nobody", "adopted", "a new account", "no list", "an empty list"],
)
def test_recipients_are_needed_where_there_are_new_accounts(
    repository: Repository, credentials: str, users: str, told: list[str]
) -> None:
    """Credentials are sealed to somebody, or there are none."""
    repository.write("c.yaml", f"version: 1\ncohort: c\n{credentials}users: {users}\n")

    if told:
        assert repository.told("c.yaml") == told
    else:
        assert repository.load("c.yaml").cohorts[0].recipients == ()


def test_a_private_key_anywhere_is_refused_and_never_shown(
    repository: Repository, head: str
) -> None:
    """A key in a comment is as lost as one among the recipients."""
    repository.write("c.yaml", f"{head}users: []  # AGE-SECRET-KEY-1TOPSECRET\n")
    repository.write("d.yaml", f"{head.replace('c', 'd')}AGE-SECRET-KEY-1TOPSECRET: x\n")

    told = repository.told(".")

    assert [message.partition("\n")[0] for message in told] == [
        "c.yaml:4:14: error: the file holds a private key",
        "d.yaml:4:1: error: the file holds a private key",
    ]
    assert "TOPSECRET" not in "".join(told)


def test_a_faulty_list_that_an_alias_repeats_is_told_in_each_place(
    repository: Repository,
) -> None:
    """What is left out of one place is not left out of the other by the same step."""
    content = "version: 1\ncohort: c\nusers: []\nlicenses: &l [A, {sku: B}]\nroles: *l\n"

    assert [message.partition("\n")[0] for message in repository.told_of(content)] == [
        "c.yaml:4:15: error: item 1 of licenses must be a mapping of keys to values, not text",
        "c.yaml:4:15: error: item 1 of roles must be a mapping of keys to values, not text",
        "c.yaml:4:18: error: 'justification' is missing in item 2 of roles",
        "c.yaml:4:18: error: 'role' is missing in item 2 of roles",
        "c.yaml:4:19: error: unknown key 'sku'",
    ]


def test_a_faulty_part_of_the_cohort_does_not_hide_the_others(repository: Repository) -> None:
    """Roles, licenses, groups and defaults that are wrong are left out, and the rest is judged."""
    repository.write(
        "tenant.yaml",
        "version: 1\ntenant: contoso.onmicrosoft.com\nsource: s\nroles: [Reports Reader]\n",
    )
    repository.write(
        "c.yaml",
        "version: 1\ncohort: c\ncredentials: {recipients: [age1x]}\n"
        "defaults: {usageLocation: UK, city: Leeds}\n"
        "roles:\n"
        "  - {role: Reports Reader}\n"
        "  - {role: Reports Reeder, justification: Reads}\n"
        "  - {role: Reports Reader}\n"
        "users:\n"
        "  - {userPrincipalName: a@b.cd}\n",
    )

    assert [message.partition("\n")[0] for message in repository.told(".")] == [
        "c.yaml:3:28: error: recipient 1 is damaged",
        "c.yaml:4:27: error: usageLocation 'UK' is not an ISO 3166-1 alpha-2 code",
        "c.yaml:6:5: error: 'justification' is missing in item 1 of roles",
        "c.yaml:7:12: error: role 'Reports Reeder' is not listed in tenant.yaml",
        "c.yaml:8:5: error: 'justification' is missing in item 3 of roles",
        "c.yaml:10:5: error: 'a@b.cd' has no name",
    ]
