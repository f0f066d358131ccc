from __future__ import annotations

import pytest

from reconciler.config.countries import COUNTRIES, country_hint


def test_every_country_has_one_code_and_one_name() -> None:
    """ISO 3166-1 has 249 entries; no name may lead to two of them."""
    assert len(COUNTRIES) == len(set(COUNTRIES.values())) == 249
    assert all(code.isalpha() and code.isupper() and len(code) == 2 for code in COUNTRIES)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("UK", "GB"),
        ("uk", "GB"),
        ("EL", "GR"),
        ("Germany", "DE"),
        ("germny", "DE"),
        ("USA", "US"),
        ("Japan ", "JP"),
        ("Türkiye", "TR"),
        ("United States", "US"),
    ],
)
def test_what_people_write_leads_to_the_code(written: str, code: str) -> None:
    """Names and foreign codes are understood, though not accepted."""
    assert country_hint(written) == f"did you mean '{code}'?"


@pytest.mark.parametrize("written", ["QQ", "Q", "Atlantis", ""])
def test_what_leads_nowhere_gets_the_rule(written: str) -> None:
    """No guess is better than a wild one."""
    assert country_hint(written) == "write two letters, such as GB"
