"""Tenants as they are kept: copied, compared, and signed in to."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self

import httpx
import orjson

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

State = dict[str, Any]
"""What a tenant holds, by address; ids and times apart."""

MUST_CHANGE = 50055
"""`AADSTS50055`: the password is right, and has to be changed first."""
_VARYING = re.compile(r"DateTime$|^id$|^securityIdentifier$")


def copy(file: Path, to: Path) -> Path:
    """Copy the tenant that *file* keeps, which nobody has open."""
    shutil.copyfile(file, to)
    to.chmod(0o600)
    log = file.with_name(f"{file.name}-wal")
    if log.exists():
        shutil.copyfile(log, to.with_name(f"{to.name}-wal"))
    return to


def state(file: Path) -> State:
    """Read everything that the tenant of *file* holds of people; names stand for ids.

    Two of one name, be it in the recycle bin, are numbered, so that none hides the other.
    """
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as db:
        return dict(_facts(db))


def _facts(db: sqlite3.Connection) -> Iterator[tuple[str, Any]]:
    names: dict[str, str] = {}
    count: defaultdict[str, int] = defaultdict(int)
    users = list(db.execute("SELECT * FROM user ORDER BY upn, id"))
    for _, id_, upn, deleted, *_rest in users:
        name = f"{upn.removeprefix(id_.replace('-', ''))}{' (deleted)' if deleted else ''}"
        count[name] += 1
        names[id_] = f"{name} ({count[name]})" if count[name] > 1 else name
    for _, id_, _upn, _deleted, manager, password, document in users:
        address = f"user {names[id_]}"
        properties = orjson.loads(document)
        yield f"{address}: has password", password is not None
        yield f"{address}: manager", names.get(manager, manager)
        for path, value in properties.items():
            if not _VARYING.search(path):
                yield f"{address}: {path}", value
    groups = {
        id_: f"{orjson.loads(document)['displayName']} {id_}"
        for id_, document in db.execute('SELECT id, document FROM "group"')
    }
    for group, member in db.execute("SELECT group_id, member_id FROM member"):
        yield f"member of {groups.get(group, group)}: {names.get(member, member)}", True
    for user, sku, group, disabled in db.execute(
        "SELECT user_id, sku_id, group_id, disabled FROM license"
    ):
        yield f"license {sku} of {names[user]} through {group or 'none'}", disabled
    for role, principal, scope in db.execute(
        "SELECT role_id, principal_id, scope FROM role_assignment"
    ):
        yield f"role {role} over {scope} of {names.get(principal, principal)}", True


def differences(expected: State, actual: State) -> list[str]:
    """Tell how *actual* differs, one line for each fact."""
    return [
        f"{address}: {expected.get(address, 'nothing')!r} expected, "
        f"{actual.get(address, 'nothing')!r} there"
        for address in sorted(expected.keys() | actual.keys())
        if expected.get(address) != actual.get(address)
    ]


def doubled(actual: State) -> list[str]:
    """Name the people who are there twice, be it once in the recycle bin."""
    living = {key.partition(": ")[0] for key in actual if key.startswith("user ")}
    base = defaultdict(list)
    for name in living:
        base[re.sub(r" \((deleted|\d+)\)", "", name)].append(name)
    return [f"there twice: {', '.join(sorted(some))}" for some in base.values() if len(some) > 1]


class SignIn:
    """Signs people in, at the tenant that *environment* points at; a context manager."""

    def __init__(self, environment: Mapping[str, str], trusted: ssl.SSLContext) -> None:
        self._environment = environment
        self._client = httpx.Client(verify=trusted, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def refusal(self, name: str, password: str) -> int:
        """Give the number with which the login service refuses; 0 where it does not."""
        known = self._environment
        form = {
            "grant_type": "password",
            "client_id": known["AZURE_CLIENT_ID"],
            "client_secret": known["AZURE_CLIENT_SECRET"],
            "scope": "https://graph.microsoft.com/.default",
            "username": name,
            "password": password,
        }
        url = f"{known['AZURE_AUTHORITY_HOST']}/{known['AZURE_TENANT_ID']}/oauth2/v2.0/token"
        return int(self._client.post(url, data=form).json().get("error_codes", [0])[0])

    def locked_out(self, names: Iterable[str], sealed: Mapping[str, set[str]]) -> list[str]:
        """Name those of *names* whom no sealed password lets in."""
        return [
            f"nothing that is sealed lets {name} in ({len(sealed.get(name, ()))} passwords)"
            for name in names
            if not any(
                self.refusal(name, password) == MUST_CHANGE
                for password in sorted(sealed.get(name, ()))
            )
        ]
