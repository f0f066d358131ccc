from __future__ import annotations

import sys
import unicodedata
from collections import Counter

import pytest

from reconciler.diagnostics import Diagnostic, Position, Severity, in_order
from reconciler.text import (
    counted,
    did_you_mean,
    hidden_in,
    is_hidden,
    listing,
    name_of,
    nearest,
    visible,
    without_secrets,
)

TOKEN = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0hJ3lM6"  # noqa: S105 -- as long as real ones, and made up


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
        ("ad\u200dmin ad\u200cmin", r"ad\u{200d}min ad\u{200c}min"),
        ("\u200dAda \u200dbob", r"\u{200d}Ada \u{200d}bob"),
        ("श्\u200dर শ্\u200cর ක්\u200dෂ", "श्\u200dर শ্\u200cর ක්\u200dෂ"),
        ("می\u200c\u200cروم", "می\u200c\\u{200c}روم"),
        ("❤\ufe0f\u200d🔥 👩🏽\u200d🚀 ☎\ufe0e", "❤\ufe0f\u200d🔥 👩🏽\u200d🚀 ☎\ufe0e"),
        ("1\ufe0f\u20e3 #\ufe0f\u20e3", "1\ufe0f\u20e3 #\ufe0f\u20e3"),
        ("Ada\ufe0f 1\ufe0f \ufe0e", r"Ada\u{fe0f} 1\u{fe0f} \u{fe0e}"),
        ("葛\U000e0101 A\U000e0101 \u3164", "葛\U000e0101 A\\u{e0101} \\u{3164}"),
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
        "joiners in Latin",
        "joiners behind nothing",
        "joiners of India",
        "a joiner too many",
        "emoji",
        "keycaps",
        "selectors behind nothing",
        "variation and filler",
    ],
)
def test_visible(text: str, shown: str) -> None:
    """Whatever steers how text is shown is written out; text of any script is not."""
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("character", "hidden"),
    [
        *(
            (c, False)
            for c in "aé 山ㄱᄀ་①❤\u00a0\u0300\u0600\u3000\ufffc\ufffd\U0001f600\U000e1000"
        ),
        *((c, False) for c in "\u200c\u200d\ufe0e\ufe0f"),
        *((c, True) for c in "\t\n\x1b\x7f\x85\u2028\u2029\ud800\udfff"),
        *((c, True) for c in "\u061c\u200e\u200f\u202a\u202e\u2066\u2069"),
        *(
            (c, True)
            for c in "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b\u180e\u180f\u200b\u2060\u2065"
        ),
        *((c, True) for c in "\u2800\u3164\ufe00\ufe0d\ufeff\uffa0\ufff0\ufff8\ufff9\ufffa\ufffb"),
        *(
            (c, True)
            for c in "\U0001bca0\U0001d173\U0001d17a\U000e0001\U000e0041\U000e01f0\U000e0fff"
        ),
    ],
    ids=lambda value: f"{ord(value):04x}" if isinstance(value, str) else "",
)
def test_hidden(character: str, *, hidden: bool) -> None:
    """A character is hidden if it is not shown itself and nobody needs it to write."""
    assert is_hidden(character) is hidden
    assert [c for _, c in hidden_in(f"山{character}")] == [
        c for c in character if hidden or c in "\u200c\u200d\ufe0e\ufe0f"
    ]


def test_as_many_are_hidden_as_unicode_has() -> None:
    """4174 code points are ignorable by default; 244 that some text needs stand for themselves."""
    by_category = {"Cc": 65, "Cs": 2048, "Zl": 1, "Zp": 1}
    hidden = [chr(code) for code in range(sys.maxunicode + 1) if is_hidden(chr(code))]

    assert len(hidden) == 4174 - 244 + 4 + sum(by_category.values())
    found = Counter(map(unicodedata.category, hidden))
    assert {name: found[name] for name in by_category} == by_category


@pytest.mark.parametrize(
    ("text", "is_file", "found"),
    [
        ("a\tb\r\n", False, [(1, "\t"), (3, "\r"), (4, "\n")]),
        ("a\tb\r\n", True, []),
        ("a: b\u00adc\n\u3164\x1b", True, [(4, "\u00ad"), (7, "\u3164"), (8, "\x1b")]),
        ("", True, []),
    ],
    ids=["text", "layout", "file", "nothing"],
)
def test_hidden_in(text: str, found: list[tuple[int, str]], *, is_file: bool) -> None:
    """Each is given with its place; what lays a file out is not hidden there."""
    assert list(hidden_in(text, is_file=is_file)) == found


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("\x1b", "U+001B CONTROL CHARACTER"),
        ("\u2065", "U+2065 UNASSIGNED CHARACTER"),
        ("\ud800", "U+D800 HALF A CHARACTER"),
        ("\ue000", "U+E000 NAMELESS CHARACTER"),
    ],
    ids=["named", "control", "unassigned", "half", "private"],
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
        ("AGE-PLUGIN-YUBIKEY-1VN46JQYZQCEP8DG, too", "…, too"),
        ("age-plugin-fido2-hmac-1qqpq2vn46jqyz", "…"),
        *((f"x {each}{TOKEN}!", "x …!") for each in ("ghs_", "ghp_", "gho_", "ghu_", "ghr_")),
        (f"token=github_pat_11ABCDEFG0_{TOKEN}{TOKEN}.", "token=…."),
        ("Bearer 9f8e7d6c-5b4a+3/2~1.x==, then", "Bearer …, then"),
        ("authorization: bearer  opaque0123456789", "authorization: bearer  …"),
        (f"secret 'Xyz8Q~{TOKEN[:34]}'", "secret '…'"),
        (f"a.b7Q~{TOKEN[:31]}", "…"),
        ("Bearer eyJ0eXAiOiJKV1Qi.eyJhdWQi-_.c2ln!", "Bearer …!"),
        (
            "age1qqpq2 eyJ0 -----BEGIN CERTIFICATE-----",
            "age1qqpq2 eyJ0 -----BEGIN CERTIFICATE-----",
        ),
        *(
            (harmless, harmless)
            for harmless in (
                "age1yubikey1qvn46jqyzqcep8dg, of age-plugin-yubikey-1.2.0",
                "ghs_ and ghp_short; github_pat_11; high_ghs_of_the_house",
                "the bearer of this letter; Bearer authorization_uri=https://login.example",
                "Bearer realm-of-the-organization",
                "8Q~ is in Xyz8Q~short, and xyz8q~is-in-no-secret-that-anybody-has-made",
                "cohorts/beta-2026.yaml:12:5 28d80e74-2d69-4bb9-b1e4-740c4cf0551f",
            )
        ),
    ],
)
def test_without_secrets(text: str, shown: str) -> None:
    """Private keys, tokens and client secrets are cut out of what is quoted; the rest stays."""
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
