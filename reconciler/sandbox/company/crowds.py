"""The `generate` blocks of a seed file, as rules that people are made by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.sandbox.company import fitting
from reconciler.sandbox.company.generating import (
    NAME_PATTERN,
    UPN_PATTERN,
    Crowd,
    GroupRules,
    Rules,
    Shares,
    share_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.sandbox.company.resolving import Resolving, Step

_IN_UPN = {"given": "a", "family": "a", "n": 1, "department": "a", "domain": "a"}
_IN_GROUP = {"n": 1, "department": "a"}
"""What a pattern may name, each with something that may stand there."""


class Crowds:
    """The crowds of one file; what is wrong with them is told where names are resolved."""

    def __init__(self, find: Resolving) -> None:
        self._find = find

    def all(self, listed: Iterable[tuple[int, dict[str, Any]]]) -> tuple[Crowd, ...]:
        """Give all crowds."""
        return tuple(
            Crowd(self._find.tenant_id, self._rules(given, "generate", number), number)
            for number, given in listed
        )

    def _rules(self, given: dict[str, Any], *path: Step) -> Rules:
        find, number = self._find, given["count"]
        upn = self._pattern(given, "userPrincipalName", _IN_UPN, *path) or UPN_PATTERN
        name = self._pattern(given, "displayName", _IN_UPN, *path) or NAME_PATTERN
        licenses = {
            find.sku(part, *path, "licenses", part): percent
            for part, percent in (given.get("licenses") or {}).items()
        }
        for key, percent in licenses.items():
            find.take_seats([key], share_of(number, percent))
        fitting.check_together(find, licenses, *path, "licenses")
        for country in given.get("countries") or ():
            find.check_country(country, *path, "countries")
        more = given.get("properties") or {}
        find.check_extensions(more, *path, "properties")
        return Rules(
            number,
            given.get("seed", 0),
            upn,
            name,
            self._domains(given, upn, *path),
            Shares.of(given.get("departments") or ()),
            Shares.of(given.get("jobTitles") or ()),
            Shares.of(given.get("countries") or ()),
            licenses,
            given.get("reports", 0),
            given.get("disabled", 0),
            given.get("guests", 0),
            given.get("deleted", 0),
            {name: value for name, value in more.items() if value is not None},
            tuple(
                self._group(group, *path, "groups", index)
                for index, group in enumerate(given.get("groups") or ())
            ),
        )

    def _domains(self, given: dict[str, Any], upn: str, *path: Step) -> Shares:
        fitting.check_upn(self._find, upn.format_map(_IN_UPN), *path, "userPrincipalName")
        own = upn.partition("@")[2]
        if "{" not in own:
            self._find.check_domain(upn, *path, "userPrincipalName")
        domains = given.get("domains") or [self._find.default_domain]
        for domain in domains:
            self._find.check_domain(f"anybody@{domain}", *path, "domains")
        return Shares.of(domains)

    def _group(self, given: dict[str, Any], *path: Step) -> GroupRules:
        name = self._pattern(given, "displayName", _IN_GROUP, *path)
        number = given.get("count", 1)
        if number > 1 and name is not None and "{n" not in name:
            self._find.tell(
                f"{number} groups cannot have one name", "put {n} into it", *path, "displayName"
            )
        return GroupRules(
            name or "",
            number,
            given.get("size", 0),
            given.get("byDepartment", False),
            given.get("kind", "security"),
            self._find.licenses(given, *path),
        )

    def _pattern(
        self, given: dict[str, Any], key: str, words: dict[str, Any], *path: Step
    ) -> str | None:
        """Give a pattern in which only *words* are replaced; None for none that can be used."""
        pattern: str | None = given.get(key)
        if pattern is None:
            return None
        try:
            pattern.format_map(words)
        except (KeyError, ValueError, IndexError, AttributeError, TypeError):
            known = ", ".join(f"{{{word}}}" for word in words)
            self._find.tell(f"{key} is no pattern", f"known here: {known}", *path, key)
            return None
        return pattern
