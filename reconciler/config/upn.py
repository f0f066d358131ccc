"""What Entra ID refuses in a user principal name, rule by rule.

The characters and lengths are those of Microsoft's "Password policies and account
restrictions in Microsoft Entra ID"; `$` is not on that page, but recorded replies of
Graph accept it.
"""

from __future__ import annotations

import re
from typing import Final

from reconciler.config.scrutiny import shown
from reconciler.text import counted, name_of

_ALLOWED: Final = re.compile(r"[A-Za-z0-9'._!#^~$-]")
_MAX_NAME: Final = 64
_MAX_DOMAIN: Final = 48


def wrong_upn(text: str) -> tuple[str, str | None]:
    """Say which rule *text*, which the schema refused, breaks first, and what to do."""
    name, at, domain = text.rpartition("@")
    subject = f"userPrincipalName '{shown(text)}'"
    if not (name and at and domain):
        return f"{subject} is not of the form name@domain", "for example, ada@contoso.com"
    if stray := next((c for c in name if not _ALLOWED.match(c)), None):
        hint = "letters a to z, digits and ' . - _ ! # ^ ~ $ are allowed before the @"
        return f"{subject} holds {name_of(stray)}", hint
    if name.endswith("."):
        return f"{subject} has a dot right before the @", "remove the dot"
    for part, limit, where in ((name, _MAX_NAME, "before"), (domain, _MAX_DOMAIN, "after")):
        if len(part) > limit:
            length = counted(len(part), "character")
            return f"{subject} has {length} {where} the @", f"at most {limit} are allowed there"
    return f"{subject} has no domain after the @", "for example, ada@contoso.com"
