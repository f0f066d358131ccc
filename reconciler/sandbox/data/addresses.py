"""Proxy addresses: of those who live, users and groups, each has its own.

Who has which lies in a table by small letters, so that a tenant of 100,000 is not searched.
Whoever is deleted keeps its addresses, and others may take them (Graph, "user resource type",
section "mail and proxyAddresses").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping

_PRIMARY, _SECONDARY = "SMTP:", "smtp:"
INSERT: Final = "INSERT OR IGNORE INTO address VALUES (?, ?)"


def rows(key: str, properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the rows of the object *key*, for `INSERT`."""
    for address in properties.get("proxyAddresses") or ():
        yield _bare(address), key


def _bare(address: str) -> str:
    return address.partition(":")[2].lower()


def mailed(properties: Mapping[str, Any], mail: str | None) -> dict[str, Any]:
    """Give the properties of a user whose `mail` is set: it becomes the primary address.

    The old one stays as a secondary address, which is inferred; without a mail there is no
    primary one.
    """
    kept: Iterable[str] = properties.get("proxyAddresses") or ()
    if mail is None:
        left = [one for one in kept if not one.startswith(_PRIMARY)]
    else:
        others = [one for one in kept if _bare(one) != mail.lower()]
        left = [f"{_PRIMARY}{mail}", *(one.replace(_PRIMARY, _SECONDARY, 1) for one in others)]
    return {**properties, "mail": mail, "proxyAddresses": left or None}


def completed(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give *properties* with the address that follows from `mail`, as the tenant sets it."""
    mail = properties.get("mail")
    return mailed(properties, mail) if mail else properties


def mailed_at(properties: Mapping[str, Any]) -> set[str]:
    """Give the addresses of an object in small letters, with that of its `mail`."""
    return {address for address, _ in rows("", completed(properties))}


def hold(db: sqlite3.Connection, key: str, properties: Mapping[str, Any]) -> None:
    """Let the object *key* have its addresses and no others; raises the refusal of a taken one."""
    before = {row[0] for row in db.execute("SELECT address FROM address WHERE holder = ?", (key,))}
    after = {address for address, _ in rows(key, properties)}
    if before == after:
        return
    if taken(db, key, after - before):
        raise errors.DUPLICATE_ADDRESS.error(target="proxyAddresses")
    forget(db, key)
    db.executemany(INSERT, rows(key, properties))


def require_free(db: sqlite3.Connection, key: str, properties: Mapping[str, Any]) -> None:
    """Raise Graph's refusal of an object that comes back when its addresses were given away."""
    if taken(db, key, (address for address, _ in rows(key, properties))):
        raise errors.DUPLICATE_ADDRESS.error(target="proxyAddresses")


def without(properties: Mapping[str, Any], addresses: set[str]) -> dict[str, Any]:
    """Give the properties of an object that has lost *addresses*, its `mail` if it is one."""
    kept = [one for one in properties.get("proxyAddresses") or () if _bare(one) not in addresses]
    mail = properties.get("mail")
    left = {**properties, "proxyAddresses": kept, "mail": mail}
    if mail is None or mail.lower() in addresses:
        del left["mail"]
    if not kept:
        del left["proxyAddresses"]
    return left


def taken(db: sqlite3.Connection, key: str, addresses: Iterable[str]) -> set[str]:
    """Give those of *addresses*, in small letters, that another living object has."""
    return {one for one in addresses if _is_taken(db, key, one)}


def _is_taken(db: sqlite3.Connection, key: str, address: str) -> bool:
    row = db.execute(
        "SELECT 1 FROM address WHERE address = ?1 AND holder <> ?2 AND ("
        "EXISTS (SELECT 1 FROM user WHERE id = holder AND deleted IS NULL) OR "
        'EXISTS (SELECT 1 FROM "group" WHERE id = holder AND deleted IS NULL))',
        (address, key),
    ).fetchone()
    return row is not None


def forget(db: sqlite3.Connection, key: str) -> None:
    """Forget the addresses of an object that is no more."""
    db.execute("DELETE FROM address WHERE holder = ?", (key,))
