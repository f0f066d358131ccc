from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from reconciler.commands.sandbox import group
from reconciler.errors import UsageError
from reconciler.sandbox.company import showing
from reconciler.sandbox.company.contoso import APPLY_APP, stable_id
from reconciler.sandbox.company.roledata import BUILT_IN
from reconciler.sandbox.data import keeping, store
from reconciler.sandbox.data.schedules import ACTIVE, ELIGIBLE
from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from reconciler.sandbox.company.summary import Summary

SEED = """\
version: 1
company: {displayName: "Fabri\\u202ekam"}
domains: [fabrikam.onmicrosoft.com, fabrikam.example]
skus:
  - {skuPartNumber: SPE_E5, seats: 3, status: Suspended}
  - {skuPartNumber: SPE_E3, seats: 2}
  - {skuPartNumber: EMSPREMIUM, seats: 2, status: Deleted}
extensions: [extension_6f2b1a0c9d8e4f7ab3c5d1e2f4a6b8c0_cohort]
people:
  - userPrincipalName: ada@fabrikam.example
    guest: true
    synced: true
    licenses: [SPE_E3]
    extension_6f2b1a0c9d8e4f7ab3c5d1e2f4a6b8c0_cohort: "a\\x07b"
groups:
  - {displayName: "evil\\e[2J", owners: [ada@fabrikam.example], licenses: [SPE_E3]}
  - {displayName: 東京, kind: distribution}
applications:
  - displayName: Federated
    certificate: PEM
    federatedIdentityCredentials:
      - {name: g, issuer: https://issuer.example, subject: "repo:x"}
administrativeUnits: [{displayName: Munich, members: [ada@fabrikam.example]}]
"""


def _summary(tmp_path: Path, seed: str | None = None) -> Summary:
    file, path = tmp_path / "x.sqlite", tmp_path / "company.yaml"
    if seed:
        path.write_text(seed, encoding="utf-8")
    with keeping.opened(file, path if seed else None):
        pass
    return keeping.shown(file)


@pytest.mark.parametrize("width", [72, 80, 120])
def test_the_summary_fits_the_terminal(tmp_path: Path, width: int) -> None:
    """No line is wider than the terminal, and nothing of colour is in it."""
    text = showing.text(_summary(tmp_path), width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert text.isprintable() or "\x1b" not in text
    assert "  SPE_E5" in text
    assert "People: 25 people, 1 disabled, 1 synced, 1 deleted" in text


def test_columns_are_aligned_by_cells(tmp_path: Path) -> None:
    """A name in Japanese takes two cells for each character, and its row is as the others."""
    lines = showing.text(_summary(tmp_path), 120).splitlines()
    start = lines.index("Groups") + 1
    kinds = [
        cell_len(line[: match.start()])
        for line in lines[start : start + 14]
        if (match := re.search(r"(security|microsoft365|dynamic|synced|roleAssig)", line))
    ]
    assert len(set(kinds)) == 1


def test_names_that_hide_are_written_out(tmp_path: Path) -> None:
    """Control and bidirectional characters of names never reach the terminal."""
    text = showing.text(_summary(tmp_path, SEED), 120)
    assert "Fabri\\u{202e}kam (US), tenant " in text
    assert "evil\\u{1b}[2J" in text
    assert "a\\u{7}b" in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", text)


def test_every_part_is_told(tmp_path: Path) -> None:
    """Domains, seats, owners, ways to sign in and units of a seeded tenant are there."""
    text = showing.text(_summary(tmp_path, SEED), 120)
    for line in (
        "  fabrikam.onmicrosoft.com  initial",
        "  fabrikam.example          default",
        "suspended",
        "  EMSPREMIUM  0 seats  0 used  0 free              deleted",
        "People: 1 person, 1 guest, 1 synced",
        "  (no department)  1",
        "1 owner, gives SPE_E3",
        "  東京           distribution",
        "    signs in with secret, certificate, tokens of https://issuer.example for repo:x",
        "    no permissions",
        "  Munich  1 member",
    ):
        assert line in text, line


def test_no_secret_is_shown(tmp_path: Path) -> None:
    """Neither form has a secret of an application, or a hash of a password."""
    found = _summary(tmp_path)
    with store.read_only(tmp_path / "x.sqlite") as db:
        known = store.resource(db, "application", APPLY_APP.client_id) or {}
        key = store.setting(db, "key")
    for text in (showing.text(found, 80), showing.json(found)):
        assert known["secret"] not in text
        assert key not in text


def test_roles_tell_how_they_are_held(tmp_path: Path) -> None:
    """Permanent holders, those whose role ends, those who may take one, and over what."""
    file = tmp_path / "x.sqlite"
    schedule = {
        "principalId": stable_id("user priya@contoso.com"),
        "roleDefinitionId": BUILT_IN["Global Reader"],
        "directoryScopeId": "/",
        "scheduleInfo": {"expiration": {"endDateTime": "2030-01-01T00:00:00Z"}},
    }
    group_id = stable_id("group Tier 1 helpdesk")
    with keeping.opened(file) as db:
        store.add_resource(db, ACTIVE, "a", schedule)
        endless = {"expiration": {"endDateTime": None}}
        over = {"directoryScopeId": "/administrativeUnits/x", "scheduleInfo": endless}
        store.add_resource(db, ELIGIBLE, "b", schedule | over | {"principalId": group_id})
        gone = {"principalId": "gone", "roleDefinitionId": "unknown"}
        store.add_resource(db, ELIGIBLE, "c", schedule | gone)
    roles = {role["displayName"]: role["holders"] for role in keeping.shown(file).roles}
    assert roles["Global Reader"] == [
        {
            "name": "priya@contoso.com",
            "how": "active",
            "until": "2030-01-01T00:00:00Z",
            "scope": "/",
        },
        {
            "name": "Tier 1 helpdesk",
            "how": "eligible",
            "until": None,
            "scope": "/administrativeUnits/x",
        },
    ]
    assert roles["unknown"][0]["name"] == "gone"
    text = showing.text(keeping.shown(file), 120)
    assert "active until 2030-01-01T00:00:00Z" in text
    assert "eligible over /administrativeUnits/x" in text


def test_a_served_tenant_is_shown(
    tmp_path: Path, start: Callable[..., httpx.Client], body: Callable[..., dict[str, Any]]
) -> None:
    """While a server has the tenant it can be shown, with what has just been written."""
    file = tmp_path / "x.sqlite"
    graph = start(file)
    made = graph.post("/users", json=body(displayName="Just Made")).json()
    found = keeping.shown(file)
    assert found.people["enabled"] == 25
    (record,) = found.audit
    assert record["activity"] == "Add user"
    assert record["by"] == APPLY_APP.name
    assert record["targets"] == [made["userPrincipalName"]]
    assert "Latest writes\n" in showing.text(found, 80)


def test_a_record_without_an_actor_is_shown(tmp_path: Path) -> None:
    """A record that says little leaves dashes."""
    file = tmp_path / "x.sqlite"
    with keeping.opened(file) as db:
        db.execute("INSERT INTO audit (at, document) VALUES ('2026-01-02T03:04:05Z', '{}')")
    assert "  2026-01-02 03:04:05  -  -" in showing.text(keeping.shown(file), 80)


def test_long_lists_are_cut_for_a_person_alone(tmp_path: Path) -> None:
    """The first twenty rows are shown, and how many more there are; JSON has them all."""
    found = _summary(tmp_path)
    many = replace(found, units=[{"displayName": f"U{n}", "members": n} for n in range(30)])
    assert "  U19  19 members\n  and 10 more" in showing.text(many, 80)
    assert len(json.loads(showing.json(many))["units"]) == 30
    assert "Administrative units" not in showing.text(replace(found, units=[]), 80)


def test_an_application_without_a_way_in_is_shown(tmp_path: Path) -> None:
    """One that has no secret signs in with nothing."""
    file = tmp_path / "x.sqlite"
    with keeping.opened(file) as db:
        known = store.resource(db, "application", APPLY_APP.client_id) or {}
        store.set_resource(db, "application", APPLY_APP.client_id, known | {"secret": None})
    assert "    signs in with nothing" in showing.text(keeping.shown(file), 80)


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_command_prints_it(tmp_path: Path, form: str) -> None:
    """`sandbox show` prints the form that is asked for, without colour."""
    file = tmp_path / "x.sqlite"
    with keeping.opened(file):
        pass
    result = CliRunner().invoke(group, ["show", "--file", str(file), "--format", form])
    assert result.exit_code == 0
    assert "\x1b" not in result.output
    if form == "json":
        told = json.loads(result.output)
        assert (told["format_version"], told["company"]["displayName"]) == (1, "Contoso")
    else:
        assert result.output.startswith("Contoso (GB), tenant ")


def test_what_is_no_tenant_is_not_shown(tmp_path: Path) -> None:
    """No file, another file, another format and one that is being filled are told apart."""
    with pytest.raises(UsageError, match="there is no sandbox tenant in"):
        keeping.shown(tmp_path / "nowhere.sqlite")
    (tmp_path / "text").write_text("x" * 200)
    with pytest.raises(UsageError, match="is not a sandbox tenant"):
        keeping.shown(tmp_path / "text")
    db, _ = store.connect(tmp_path / "new.sqlite")
    with pytest.raises(UsageError, match="is still being filled"):
        keeping.shown(tmp_path / "new.sqlite")
    db.execute("PRAGMA user_version = 1")
    db.close()
    with pytest.raises(UsageError, match="of another version"):
        keeping.shown(tmp_path / "new.sqlite")


def test_showing_changes_nothing(tmp_path: Path) -> None:
    """A tenant that was shown is served as before."""
    file = tmp_path / "x.sqlite"
    with running(file):
        pass
    before = file.read_bytes()
    keeping.shown(file)
    assert file.read_bytes() == before
