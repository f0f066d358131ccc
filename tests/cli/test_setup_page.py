"""docs/setup.md says what is so: its permissions, parts and commands are the program's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from reconciler import cli
from reconciler.config.schema import schema
from reconciler.diagnostics import Position
from reconciler.graph.checkup import ORDER
from reconciler.graph.clouds import CLOUDS
from reconciler.graph.needs import LEAST, OPTIONAL, Need, needs
from reconciler.model import Desired, Listed, Removal, TenantFile

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs/setup.md").read_text(encoding="utf-8")
OTHER = (TOP / "docs/permissions.md").read_text(encoding="utf-8")
HERE = Position("cohorts/tenant.yaml")
MAKEFILE = (TOP / "Makefile").read_text(encoding="utf-8")
EVERYTHING = Desired(
    (),
    (),
    TenantFile(
        licenses=(Listed("a", HERE),),
        groups=(Listed("b", HERE, role_assignable=True),),
        roles=(Listed("c", HERE),),
        removal=Removal.DELETE,
    ),
)
"""Files that ask for whatever files can ask for."""


def table(name: str) -> dict[str, set[str]]:
    """Give each permission of a table with what it is for."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- end of {name} -->", PAGE, re.DOTALL)
    assert found
    rows = re.findall(r"^\| `([\w.]+)` \| ([^|]+) \|", found[1], re.MULTILINE)
    return {permission: set(whats.split("; ")) for permission, whats in rows}


def by_permission(asked: tuple[Need, ...]) -> dict[str, set[str]]:
    """Give what each permission is granted for."""
    found: dict[str, set[str]] = {}
    for need in asked:
        found.setdefault(need.least, set()).add(need.what)
    return found


def test_the_permissions_to_plan_are_the_programs() -> None:
    """Each read with the least that does, and what is optional."""
    optional = {name: {what} for name, what in OPTIONAL.items()}

    assert table("plan") == by_permission(needs(EVERYTHING, writes=False)) | optional


def test_the_permissions_to_apply_are_the_programs() -> None:
    """Each write with the least that does."""
    reads = needs(EVERYTHING, writes=False)
    writes = tuple(need for need in needs(EVERYTHING, writes=True) if need not in reads)

    assert table("apply") == by_permission(writes)


def test_the_commands_grant_what_the_tables_say() -> None:
    """Who copies the commands grants no more, and roles only on purpose."""
    reads = set(re.findall(r'^READS="(.*)"', PAGE, re.MULTILINE)[0].split())
    plan, apply = (
        set(re.findall(rf'^grant "\${name}" \$READS (.*)', PAGE, re.MULTILINE)[0].split()) | reads
        for name in ("PLAN", "APPLY")
    )

    assert plan == set(table("plan"))
    assert apply == reads | set(table("apply")) - {"RoleManagement.ReadWrite.Directory"}


def test_the_pages_name_the_same_permissions() -> None:
    """What docs/permissions.md lists is what is granted here, but for what drift asks."""
    listed = set(re.findall(r"^\| `([\w.]+)` \|", OTHER, re.MULTILINE))

    assert listed | {"AuditLog.Read.All"} == set(table("plan")) | set(table("apply"))
    assert set(table("plan")) | set(table("apply")) <= set(LEAST) | OPTIONAL.keys()


def test_every_part_of_a_check_up_has_a_remedy() -> None:
    """The last table has one row for each, in order, and no other."""
    section = PAGE.partition("## When the doctor reports a failure")[2]
    rows = re.findall(r"^\| ([\w -]+) \|", section.partition("##")[0], re.MULTILINE)

    assert tuple(rows[1:]) == ORDER


def test_the_clouds_are_the_programs() -> None:
    """The variable takes what `--cloud` takes."""
    (row,) = re.findall(r"^\| `RECONCILER_CLOUD` \| (.*) \|", PAGE, re.MULTILINE)

    assert re.findall(r"`(\w+)`", row) == list(CLOUDS)
    assert set(re.findall(r"`(api://\w+)`", PAGE)) == {cloud.audience for cloud in CLOUDS.values()}


def test_the_doctor_asks_as_both() -> None:
    """Its workflow gives no job more than it needs, and pins what CI pins."""
    text = (TOP / ".github/workflows/doctor.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    ci = (TOP / ".github/workflows/ci.yml").read_text(encoding="utf-8")

    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
    assert "environment" not in workflow["jobs"]["plan"]
    assert workflow["jobs"]["apply"]["environment"] == "production"
    assert all(pin in ci for pin in re.findall(r"uses: (.*)", text))


def test_the_workflows_ask_for_what_the_page_sets() -> None:
    """Variables, environments and subjects are the same here and there, and none is left over."""
    workflows = [p.read_text(encoding="utf-8") for p in (TOP / ".github/workflows").glob("*.yml")]
    asked = set(re.findall(r"vars\.(\w+)", "".join(workflows)))
    environments = set(re.findall(r"^    environment: (\S+)$", "".join(workflows), re.MULTILINE))

    assert asked == set(re.findall(r"^\| `(\w+)` \| ", PAGE.split("## 5.")[1], re.MULTILINE))
    subjects = re.findall(r"^\| apply \| `\S+:environment:([\w-]+)`", PAGE, re.MULTILINE)
    assert environments == set(subjects)
    assert environments <= set(re.findall(r"`(production[\w-]*)`", PAGE.split("## 5.")[1]))
    targets = re.findall(r"run: make -f Makefile (\w+)", "".join(workflows))
    assert targets
    assert all(f"\n{target}:" in MAKEFILE for target in targets)


@pytest.mark.parametrize("key", ["ownership", "tenant", "domains", "guards", "removal"])
def test_the_keys_of_the_tenant_file_exist(key: str) -> None:
    """What the page tells somebody to write is what the file takes."""
    assert key in schema("tenant")["properties"]
    assert f"`{key}:" in PAGE or f"`{key}." in PAGE


def test_the_commands_exist() -> None:
    """Every `reconciler …` of the page is a command."""
    named = set(re.findall(r"reconciler (\w+)", PAGE)) - {"doctor"}

    assert named <= cli.COMMANDS.keys()
