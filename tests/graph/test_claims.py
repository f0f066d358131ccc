from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from reconciler.graph.claims import GRAPH, Claims, claims, mismatches
from reconciler.graph.clouds import CLOUDS

TENANT = "28d80e74-2d69-4bb9-b1e4-740c4cf0551f"
APPLICATION = "5c8b4d0a-3f0e-4f6a-9c83-27a3b1d5e6f1"
OTHER = "11111111-2222-3333-4444-555555555555"


def token(told: object) -> str:
    """Make an access token; nobody here looks at its signature."""
    payload = base64.urlsafe_b64encode(orjson.dumps(told)).decode().rstrip("=")
    return f"header.{payload}.signature"


@pytest.mark.parametrize("opaque", ["", "opaque", "a.!.c", "a.bm90IGpzb24.c", token([])])
def test_a_token_that_tells_nothing(opaque: str) -> None:
    """What cannot be read is None, and no error."""
    assert claims(opaque) is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            {"aud": GRAPH, "tid": TENANT, "appid": APPLICATION, "roles": ["User.Read.All"]},
            Claims(GRAPH, TENANT, APPLICATION, frozenset({"User.Read.All"}), is_person=False),
        ),
        (
            {"aud": GRAPH, "tid": TENANT, "azp": APPLICATION},
            Claims(GRAPH, TENANT, APPLICATION, frozenset(), is_person=False),
        ),
        (
            {"aud": GRAPH, "tid": TENANT, "appid": OTHER, "scp": "User.Read"},
            Claims(GRAPH, TENANT, OTHER, frozenset(), is_person=True),
        ),
        ({"idtyp": "user", "roles": "?"}, Claims("", "", "", frozenset(), is_person=True)),
    ],
    ids=["application", "application without permissions", "person", "little"],
)
def test_whose_a_token_is(told: dict[str, Any], expected: Claims) -> None:
    """An application without any permission is told from a person, who has none either."""
    assert claims(token(told)) == expected


MINE = Claims("https://graph.microsoft.com/", TENANT, APPLICATION, frozenset(), is_person=False)


@pytest.mark.parametrize(
    ("tenant", "application", "declared", "expected"),
    [
        (TENANT.upper(), APPLICATION.upper(), TENANT, []),
        ("contoso.com", "", "contoso.onmicrosoft.com", []),
        ("", "", None, []),
        (OTHER, "", None, [f"the token is of tenant {TENANT}, but AZURE_TENANT_ID is {OTHER}"]),
        (
            "",
            "",
            OTHER,
            [f"the token is of tenant {TENANT}, but `tenant:` in the tenant file is {OTHER}"],
        ),
        (
            "",
            OTHER,
            None,
            [f"the token is of application {APPLICATION}, but AZURE_CLIENT_ID is {OTHER}"],
        ),
    ],
    ids=["same", "names", "nothing", "variable", "tenant file", "application"],
)
def test_what_a_token_contradicts(
    tenant: str, application: str, declared: str | None, expected: list[str]
) -> None:
    """Ids are compared without case; a name says nothing that a token could contradict."""
    found = mismatches(
        MINE, CLOUDS["global"], tenant=tenant, application=application, declared=declared
    )

    assert [problem.summary for problem in found] == expected


def test_a_token_for_another_cloud() -> None:
    """A token is good for one Graph only."""
    (problem,) = mismatches(MINE, CLOUDS["usgov"], tenant="", application="", declared=None)

    assert problem.summary == (
        "the token is for 'https://graph.microsoft.com/', not for https://graph.microsoft.us"
    )
