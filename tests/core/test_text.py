from __future__ import annotations

import pytest

from reconciler.diagnostics import Diagnostic, Position, Severity, in_order
from reconciler.text import (
    counted,
    did_you_mean,
    is_hidden,
    listing,
    name_of,
    nearest,
    visible,
    without_secrets,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("山田 é 😀", "山田 é 😀"),
        ("a\u202eb", r"a\u{202e}b"),
        ("a\nb\x1b[2J", r"a\u{a}b\u{1b}[2J"),
        ("a\u200bb\ufeff", r"a\u{200b}b\u{feff}"),
        ("a\U000e0041", r"a\u{e0041}"),
        ("a\u2028b\ud800", r"a\u{2028}b\u{d800}"),
        ("می\u200cروم", "می\u200cروم"),
        ("::add-mask::a", r"\u{3a}:add-mask::a"),
        ("a ::error::b", r"a \u{3a}:error::b"),
        ("é\n::error::b", r"é\u{a}\u{3a}:error::b"),
        ("a##[error]b", r"a\u{23}#[error]b"),
        ("###[x] #[y] a::b :c:", r"#\u{23}#[x] #[y] a::b :c:"),
    ],
    ids=[
        "plain",
        "scripts",
        "override",
        "control",
        "no width",
        "tag",
        "separator",
        "joiner",
        "command",
        "command after a word",
        "command after a line",
        "old command",
        "no commands",
    ],
)
def test_visible(text: str, shown: str) -> None:
    """Whatever steers how text is shown is written out; text of any script is not."""
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("character", "hidden"),
    [("a", False), ("é", False), ("\u200d", False), ("\u061c", True), ("\x7f", True)],
)
def test_hidden(character: str, *, hidden: bool) -> None:
    """A character is hidden if it is not shown itself and nobody needs it to write."""
    assert is_hidden(character) is hidden


@pytest.mark.parametrize(
    ("character", "name"),
    [("\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"), ("\x1b", "U+001B CONTROL CHARACTER")],
    ids=["named", "nameless"],
)
def test_name_of(character: str, name: str) -> None:
    """A character that cannot be shown is told by number and name."""
    assert name_of(character) == name


@pytest.mark.parametrize(
    ("word", "candidates", "match"),
    [
        ("SPE_E55", ["SPE_E5", "FLOW_FREE"], "SPE_E5"),
        ("staff", ["Staff"], "Staff"),
        ("staff", ["Marketing"], None),
        ("staff", [], None),
        ("YAMER", ["TEAMS1", "YAMMER_ENTERPRISE", "SWAY"], "YAMMER_ENTERPRISE"),
        ("YAMM", ["YAMMER_ENTERPRISE", "YAMMER_EDUCATION_PLUS"], "YAMMER_ENTERPRISE"),
        ("YA", ["YAMMER_ENTERPRISE"], None),
    ],
    ids=["near", "case", "far", "none", "its beginning", "of the first", "two letters"],
)
def test_nearest(word: str, candidates: list[str], match: str | None) -> None:
    """Only a name that is near is taken for the one that was meant, case apart."""
    assert nearest(word, candidates) == match
    assert did_you_mean(word, candidates) == (match and f"did you mean '{match}'?")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cohorts/beta.yaml", "cohorts/beta.yaml"),
        ("AGE-SECRET-KEY-1QQPQ2 rest", "… rest"),
        ("age-secret-key-1qqpq2", "…"),
        ("see -----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\nmore", "see …"),
        ("-----BEGIN PRIVATE KEY-----MIIE", "…"),
        ("Bearer eyJ0eXAiOiJKV1Qi.eyJhdWQi-_.c2ln!", "Bearer …!"),
        (
            "age1qqpq2 eyJ0 -----BEGIN CERTIFICATE-----",
            "age1qqpq2 eyJ0 -----BEGIN CERTIFICATE-----",
        ),
    ],
    ids=["none", "age", "small letters", "ssh", "one line", "token", "public"],
)
def test_without_secrets(text: str, shown: str) -> None:
    """Private keys and access tokens are cut out of what a message quotes; the rest stays."""
    assert without_secrets(text) == shown


@pytest.mark.parametrize(
    ("names", "limit", "text"),
    [
        ([], 10, ""),
        (["a"], 10, "a"),
        (["a", "b"], 2, "a, b"),
        (["a", "b", "c", "d\n"], 2, "a, b and 2 more"),
        (["d\n"], 2, r"d\u{a}"),
    ],
    ids=["none", "one", "all", "rest", "unsafe"],
)
def test_listing(names: list[str], limit: int, text: str) -> None:
    """A list names all of a few and the first of many, with the count of the rest."""
    assert listing(names, limit) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 people"), (1, "1 person"), (2, "2 people"), (12_345, "12,345 people")],
    ids=str,
)
def test_counted(number: int, text: str) -> None:
    """A number agrees with its noun."""
    assert counted(number, "person", "people") == text
    assert counted(number, "change") == text.replace("people", "changes").replace(
        "person", "change"
    )


@pytest.mark.parametrize(
    ("diagnostic", "text"),
    [
        (Diagnostic("it broke"), "error: it broke"),
        (Diagnostic("it broke", "mend it"), "error: it broke\n  hint: mend it"),
        (Diagnostic("so so", None, Position("a.yaml", 3)), "a.yaml:3:1: error: so so"),
        (
            Diagnostic("so so", "hm", Position("a.yaml", 3, 7), Severity.WARNING),
            "a.yaml:3:7: warning: so so\n  hint: hm",
        ),
        (Diagnostic("fyi", severity=Severity.NOTE), "note: fyi"),
    ],
    ids=["bare", "hint", "position", "all", "note"],
)
def test_diagnostic(diagnostic: Diagnostic, text: str) -> None:
    """A diagnostic reads as a compiler's, with what is known of place and remedy."""
    assert str(diagnostic) == text


def test_diagnostics_in_order() -> None:
    """What has no place comes first, then by file, line as a number, column and text, once."""
    ordered = (
        Diagnostic("a"),
        Diagnostic("z"),
        Diagnostic("x", None, Position("a.yaml", 2, 9)),
        Diagnostic("x", None, Position("a.yaml", 10, 1)),
        Diagnostic("a", None, Position("a.yaml", 10, 2)),
        Diagnostic("b", None, Position("a.yaml", 10, 2)),
        Diagnostic("a", None, Position("b.yaml", 1, 1)),
    )

    assert in_order((*reversed(ordered), *ordered)) == ordered
