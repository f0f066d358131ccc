from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.sandbox.data.passwords import hashed, is_acceptable, matches

ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789!#%+-"
DOMAIN = "contoso.onmicrosoft.com"


@given(st.text(ALPHABET, min_size=12, max_size=252))
def test_a_long_password_of_all_classes_is_taken(text: str) -> None:
    """What a generator makes of all four classes always passes."""
    assert is_acceptable(f"aB3!{text}", DOMAIN)


@given(st.text(max_size=7))
def test_a_short_password_is_refused(text: str) -> None:
    """Fewer than eight characters never pass."""
    assert not is_acceptable(text, DOMAIN)


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("lowerUPPER", False),
        ("lowerUPPER1", True),
        ("lower 1 lower", True),
        ("P@ssw0rd", False),
        ("C0ntoso!1", False),
        ("P@ssw0rd-and-much-more", True),
        ("lower1€UPPER", False),
    ],
)
def test_three_classes_of_ascii_are_wanted(password: str, expected: bool) -> None:  # noqa: FBT001 -- a column of the table
    """Three of four classes, ASCII only, and more than a banned word."""
    assert is_acceptable(password, DOMAIN) is expected


@pytest.mark.parametrize(
    ("password", "domain", "expected"),
    [
        ("C0ntoso!1", "fabrikam.onmicrosoft.com", True),
        ("F@brikam!1", "Fabrikam.onmicrosoft.com", False),
        ("Abc-abc-1", "abc.onmicrosoft.com", True),
        ("Pass4711!", "4711.onmicrosoft.com", True),
    ],
)
def test_the_companys_name_is_banned(password: str, domain: str, expected: bool) -> None:  # noqa: FBT001 -- as above
    """Each tenant bans its own name, if that has four letters or more."""
    assert is_acceptable(password, domain) is expected


@given(st.text(max_size=20), st.text(max_size=20))
def test_only_the_password_matches_its_hash(one: str, other: str) -> None:
    """A hash is matched by what it was made of and by nothing else."""
    kept = hashed(one.encode("utf-8", "replace").decode())
    assert matches(other.encode("utf-8", "replace").decode(), kept) is (
        one.encode("utf-8", "replace") == other.encode("utf-8", "replace")
    )
    assert kept != hashed(one.encode("utf-8", "replace").decode())
