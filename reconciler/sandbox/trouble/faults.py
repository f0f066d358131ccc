"""Rules of a faults file, made into the same seam that a test's own faults use."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import orjson

from reconciler.sandbox.trouble import answers
from reconciler.sandbox.trouble.throttling import Whose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.sandbox.trouble.settings import Rule
    from reconciler.sandbox.wire import Incoming, Intercept, Verdict


@dataclass(slots=True)
class _Counted:
    """A rule, how many requests it was about, and its own dice."""

    rule: Rule
    chance: Random
    number: int = field(default=0)

    def strikes(self, incoming: Incoming, application: str) -> bool:
        """Count *incoming* if the rule is about it, and say whether it is struck."""
        rule = self.rule
        if not _is_about(rule, incoming, application):
            return False
        self.number += 1
        if self.number < rule.start or self.number > (rule.stop or self.number):
            return False
        if rule.nth and self.number not in rule.nth:
            return False
        if (self.number - rule.start + 1) % rule.every:
            return False
        return rule.probability >= 1 or self.chance.random() < rule.probability


def compiled(rules: Sequence[Rule], seed: int, tenant: str) -> Intercept | None:
    """Give the fault that is all *rules* together, None for no rules.

    Of several that strike the first counts. Each rule counts by itself, and throws dice of its
    own that follow *seed*: the same requests in the same order meet the same faults.
    """
    if not rules:
        return None
    counted = [
        _Counted(rule, Random(f"{seed}/fault {number}"))  # noqa: S311 -- to be repeated
        for number, rule in enumerate(rules)
    ]

    def intercept(incoming: Incoming) -> Verdict:
        application = caller(incoming)
        struck = [each.rule for each in counted if each.strikes(incoming, application)]
        if not struck:
            return None
        return answers.verdict(struck[0], incoming, Whose(application, tenant))

    return intercept


def first_of(*intercepts: Intercept | None) -> Callable[[Incoming], Verdict]:
    """Give the fault that asks each of *intercepts*, in order, until one does not stand aside."""
    present = [each for each in intercepts if each]

    def intercept(incoming: Incoming) -> Verdict:
        return next((verdict for each in present if (verdict := each(incoming))), None)

    return intercept


def _is_about(rule: Rule, incoming: Incoming, application: str) -> bool:
    if rule.in_batch is not None and rule.in_batch != incoming.is_inner:
        return False
    if rule.application is not None and rule.application.lower() != application.lower():
        return False
    return rule.request.matches(incoming)


def caller(incoming: Incoming) -> str:
    """Give the client id that the token names, which nobody has checked yet, or nothing."""
    parts = incoming.headers.get("authorization", "").split(".")
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(f"{parts[1]}=="))
        return str(claims["appid"])
    except (ValueError, LookupError, TypeError):
        return ""
