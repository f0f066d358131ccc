from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.guards.tenant import DEMONSTRATION_TENANT, PUBLISHED_RECIPIENT
from reconciler.model import (
    Domain,
    ObjectId,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model import FieldValue
    from tests.core.conftest import Given

GB: dict[str, FieldValue] = {"usageLocation": "GB"}


def test_nothing_to_refuse(given: Given) -> None:
    """A joiner with everything that the tenant has is refused nothing."""
    person = given.person(
        licenses=["SPE_E5"], groups=["Staff"], roles=["Reader"], fields={**GB, "city": "Bath"}
    )

    assert given.refusals(given.desired(person), given.observed()) == []
    assert given.refusals(given.desired(), given.observed(given.account())) == []


@pytest.mark.parametrize("tenant", ["fabrikam.com", "id-fabrikam", "pending.com"])
def test_wrong_tenant(given: Given, tenant: str) -> None:
    """Any tenant but the declared one is refused, and nothing else is worth saying."""
    file = replace(given.file, tenant=tenant)
    desired = given.desired(given.person("x@nowhere.example", licenses=["NONE"]), file=file)
    domains = (*given.tenant.domains, Domain("pending.com", is_verified=False))
    observed = replace(given.observed(), tenant=replace(given.tenant, domains=domains))

    assert given.refusals(desired, observed) == [
        (
            "cohorts/tenant.yaml:1:1: error: these credentials belong to tenant 'Contoso' "
            f"(id-contoso), not to '{tenant}'\n"
            "  hint: use an identity of the tenant that the tenant file names, or correct `tenant:`"
        )
    ]


@pytest.mark.parametrize("tenant", ["contoso.com", "CONTOSO.com", "ID-contoso", None])
def test_right_tenant(given: Given, tenant: str | None) -> None:
    """A tenant is known by its id and by its verified domains; without a file, any will do."""
    desired = given.desired(file=replace(given.file, tenant=tenant))

    assert given.refusals(desired, given.observed()) == []


@pytest.mark.parametrize(
    ("domain", "problem", "hint"),
    [
        (
            "pending.com",
            "is not verified in this tenant",
            "verify it in Microsoft Entra first; the verified ones are: contoso.com, contoso.uk",
        ),
        ("contos.com", "is not one of this tenant", "did you mean 'contoso.com'?"),
        (
            "example.org",
            "is not one of this tenant",
            "the verified ones are: contoso.com, contoso.uk",
        ),
    ],
    ids=["unverified", "misspelt", "foreign"],
)
def test_domain(given: Given, domain: str, problem: str, hint: str) -> None:
    """A new account in a domain that the tenant has not verified is refused."""
    domains = (
        *given.tenant.domains,
        Domain("pending.com", is_verified=False),
        Domain("contoso.uk", is_verified=True),
    )
    observed = replace(given.observed(), tenant=replace(given.tenant, domains=domains))
    desired = given.desired(given.person(f"ada@{domain}"), given.person("bob@CONTOSO.uk"))

    assert given.refusals(desired, observed) == [
        (
            f"cohorts/beta.yaml:10:1: error: domain '{domain}' of 'ada@{domain}' {problem}\n"
            f"  hint: {hint}"
        )
    ]


def test_domain_of_an_existing_account(given: Given) -> None:
    """Where an account is already is not asked again."""
    desired = given.desired(given.person("ada@old.example"))
    account = replace(given.account(), user_principal_name=desired.users[0].user_principal_name)

    assert given.refusals(desired, given.observed(account)) == []


@pytest.mark.parametrize("written", [str, str.upper], ids=["small", "in capitals"])
def test_published_recipient(given: Given, written: Callable[[str], str]) -> None:
    """Only the demonstration's credentials may be sealed to its key, however it is written."""
    desired = given.desired(given.person())
    recipients = ("age1other", written(PUBLISHED_RECIPIENT))
    cohort = replace(desired.cohorts[0], recipients=recipients)
    published = replace(desired, cohorts=(cohort,))
    demonstration = replace(given.tenant, id=ObjectId(DEMONSTRATION_TENANT))

    assert given.refusals(published, given.observed()) == [
        (
            "cohorts/beta.yaml:1:1: error: cohort 'beta' seals its credentials to the "
            "demonstration's key, which anybody can open\n"
            "  hint: name the public key of the person who receives the credentials"
        )
    ]
    assert given.refusals(published, replace(given.observed(), tenant=demonstration)) == []
    assert given.refusals(published, given.observed(given.account())) == []
