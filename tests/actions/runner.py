"""Runs the repository's workflows as they are, by `act`, on this machine and without docker."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.actions.hub import BOT, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping

TOP = Path(__file__).parents[2]
ACT = Path(sys.executable).with_name("act")
STAND_INS = Path(__file__).with_name("stand_ins")
SHARED = "shared-with-the-receiver"
"""What the audit is signed with."""


@dataclass(frozen=True)
class Ran:
    """One run of a workflow."""

    code: int
    log: str
    artifacts: Path


@dataclass
class Runner:
    """A clone of the repository of cohorts, and everything that its jobs are told."""

    folder: Path
    environment: Mapping[str, str]
    """What reaches every step."""
    variables: Mapping[str, str]
    _runs: int = 0

    def __post_init__(self) -> None:
        """Make the clone: the workflows and the tool of this repository, cohorts to come."""
        self.clone = self.folder / "clone"
        workflows = self.clone / ".github" / "workflows"
        workflows.mkdir(parents=True)
        for file in (TOP / ".github" / "workflows").glob("*.yml"):
            # The only word that act does not know: it never runs two at once anyway.
            known = re.sub(r"\n +queue: max\n", "\n", file.read_text("utf-8"))
            (workflows / file.name).write_text(known, "utf-8")
        for name in ("Makefile", "requirements.txt", "pyproject.toml"):
            shutil.copy(TOP / name, self.clone)
        # `make install` finds its work done: the tool is the one that is tested.
        (self.clone / ".venv").mkdir()
        (self.clone / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
        (self.clone / ".venv" / "runtime").touch()
        self.git("init", "--quiet", "--initial-branch", "main", ".")
        (self.clone / ".gitignore").write_text(".venv\nout\n")

    def git(self, *arguments: str) -> str:
        """Run git in the clone; gives what it prints."""
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@contoso.com")
        ran = subprocess.run(  # noqa: S603 -- git itself
            ["git", *who, *arguments],  # noqa: S607 -- git itself
            cwd=self.clone,
            check=True,
            capture_output=True,
            text=True,
        )
        return ran.stdout.strip()

    def commit(self, **files: str) -> str:
        """Commit cohort files by their names; gives the commit."""
        for name, text in files.items():
            path = self.clone / "cohorts" / f"{name}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.git("add", "--all", ".")
        self.git("commit", "--quiet", "--message", "change the cohorts")
        return self.git("rev-parse", "HEAD")

    def run(self, event: str, workflow: str, payload: Mapping[str, Any], **more: str) -> Ran:
        """Run one workflow for one event; *more* is told to its steps as well."""
        self._runs += 1
        place = self.folder / f"run-{self._runs}"
        artifacts = place / "artifacts"
        artifacts.mkdir(parents=True)
        told = {"repository": {"full_name": REPOSITORY, "name": "people"}, **payload}
        (place / "event.json").write_text(json.dumps(told))
        told_steps = {
            **self.environment,
            "ARTIFACTS": str(artifacts),
            "CLONE": str(self.clone),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": str(self._runs),
            **more,
        }
        command: list[str | Path] = [
            ACT,
            event,
            "--no-skip-checkout",
            "--workflows",
            self.clone / ".github" / "workflows" / workflow,
            "--eventpath",
            place / "event.json",
            "--platform",
            "ubuntu-24.04=-self-hosted",
            "--no-cache-server",
            "--secret",
            f"GITHUB_TOKEN={BOT}",
            "--secret",
            f"RECONCILER_AUDIT_WEBHOOK_SECRET={SHARED}",
        ]
        for name, value in self.variables.items():
            command += ["--var", f"{name}={value}"]
        for name, value in told_steps.items():
            command += ["--env", f"{name}={value}"]
        for used, stand_in in _used(self.clone / ".github" / "workflows" / workflow).items():
            command += ["--local-repository", f"{used}={stand_in}"]
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AZURE_", "GITHUB_"))}
        ran = subprocess.run(  # noqa: S603 -- our own words
            command,
            cwd=self.clone,
            env={**kept, "HOME": str(home)},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        return Ran(ran.returncode, ran.stdout, artifacts)


def _used(workflow: Path) -> dict[str, Path]:
    """Give each action that *workflow* uses, as it is pinned, with what stands in for it here."""
    words = (line.split("#")[0].split() for line in workflow.read_text("utf-8").splitlines())
    pinned = {line[-1] for line in words if line[:1] == ["uses:"] or line[:2] == ["-", "uses:"]}
    return {pin: STAND_INS / pin.partition("@")[0].rpartition("/")[2] for pin in sorted(pinned)}
