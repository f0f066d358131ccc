"""What the files say of each person, summed up: whether two versions say the same.

A summary holds for a person what their plan depends on: the entry with its cohort's defaults,
and what the tenant file manages. Where it stands in a file makes no difference.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from reconciler.model import folded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model import DeclaredUser, Desired, TenantFile


def declarations(desired: Desired) -> Mapping[str, str]:
    """Give the summary of each person's declaration, by folded userPrincipalName."""
    around = hashlib.sha256(_json(_tenant_file(desired.tenant_file)))
    found = {}
    for user in desired.users:
        summed = around.copy()
        summed.update(_json(_person(user)))
        found[folded(user.user_principal_name)] = summed.hexdigest()
    return found


def _person(user: DeclaredUser) -> list[object]:
    return [
        user.user_principal_name,
        user.cohort,
        dict(user.fields),
        user.display_name,
        [[each.sku, each.disabled_plans] for each in user.licenses],
        [each.group for each in user.groups],
        [[each.role, each.justification, each.ticket] for each in user.roles],
        user.adopt,
    ]


def _tenant_file(file: TenantFile) -> list[object]:
    """Give all that the file says: what it manages may take something from everybody."""
    return [
        file.source,
        file.ownership,
        file.tenant,
        file.domains,
        [
            None if listed is None else [[each.name, each.role_assignable] for each in listed]
            for listed in (file.licenses, file.groups, file.roles)
        ],
        file.removal,
        [file.removals.percent, file.removals.minimum],
        file.protected,
        file.privileged_folder,
    ]


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
