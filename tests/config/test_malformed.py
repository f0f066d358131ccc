from __future__ import annotations

import pytest
import yaml

from reconciler.config.composing import LOADER, Loader, compose
from reconciler.config.documents import Unreadable

TAB = "a tab is used for indentation\n  hint: replace the tab with spaces"
ITEM = "the list item is indented differently from the others\n  hint: "
LINE = "the line is indented differently from those above\n  hint: "
GOES_ON = ", or put the text in quotes if the value above goes on"
COLON = "a value that is not in quotes holds a colon and a space\n  hint: put the value in quotes"
COMMA = (
    "a comma is missing, or a value needs quotes\n"
    "  hint: write the comma, or {}; put a value that holds : or brackets in quotes"
)
LIST = (
    "a list cannot start on the line of its key\n"
    "  hint: write each item on a line of its own, or put text that starts with a hyphen in quotes"
)
AFTER = (
    "text follows the closing quote\n"
    "  hint: put all of it in one pair of quotes; in single quotes, '' stands for '"
)
FIRST = (
    "the first key is indented\n"
    "  hint: remove the spaces before it, so that it starts where the other keys start"
)
GENERAL = "check the indentation, the quotes and the brackets of this line and of those above"


def told(text: str, loader: type[Loader] = LOADER) -> str:
    """Give what is told of *text*, which is no YAML, with its place in front."""
    with pytest.raises(Unreadable) as caught:
        compose("c.yaml", text, {}, loader=loader)
    (diagnostic,) = caught.value.diagnostics
    return str(diagnostic).removeprefix("c.yaml:").replace(": error: ", " ", 1)


def sign(character: str) -> str:
    """Give what is told of text that starts with *character*."""
    return f"text cannot start with {character} here\n  hint: put the text in quotes"


@pytest.mark.parametrize("loader", [LOADER, yaml.SafeLoader], ids=["libyaml", "PyYAML"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("users:\n\t- a\n", f"2:1 {TAB}", id="a tab before an item"),
        pytest.param("a: 1\n\tb: 2\n", f"2:1 {TAB}", id="a tab after a value"),
        pytest.param("users:\n  -\ta: 1\n\tb: 2\n", f"2:4 {TAB}", id="a tab after a hyphen"),
        pytest.param(
            "users:\n    - a: 1\n  - b: 1\n",
            f"3:3 {ITEM}indent it by 4 spaces, like line 2",
            id="an item too far left",
        ),
        pytest.param(
            "users:\n - a: 1\n   # why\n\n   - b: 1\n",
            f"5:4 {ITEM}indent it by 1 space, like line 2",
            id="an item too far right",
        ),
        pytest.param(
            "a:\n  b: 1\n - c\n",
            f"3:2 {ITEM}align it with the lines that it belongs to",
            id="an item without others",
        ),
        pytest.param(
            "users:\n  - a: 1\n   b: 2\n",
            f"3:4 {LINE}indent it by 4 spaces, like line 2",
            id="a key too far left",
        ),
        pytest.param(
            "users:\n  - a: 1\n      b: 2\n",
            f"3:7 {LINE}indent it by 4 spaces, like line 2{GOES_ON}",
            id="a key too far right",
        ),
        pytest.param(
            "version: 1\n  cohort: c\n",
            f"2:3 {LINE}do not indent it, like line 1{GOES_ON}",
            id="a key that is not nested",
        ),
        pytest.param("# why\n  version: 1\ncohort: c\n", f"2:3 {FIRST}", id="the first key"),
        pytest.param(
            "cohort: c\nusers\n  - a: 1\n",
            "2:1 'users' has no colon\n  hint: write users:",
            id="a list without a colon",
        ),
        pytest.param(
            "version: 1\ncohort beta-2026  # new\nusers: []\n",
            "2:1 'cohort beta-2026' has no colon\n  hint: write cohort: beta-2026",
            id="no colon",
        ),
        pytest.param(
            "cohort beta-2026\nusers: []\n",
            "1:1 'cohort beta-2026' has no colon\n  hint: write cohort: beta-2026",
            id="no colon on the first line",
        ),
        pytest.param(
            "users:\n  - givenName Ada\n    surname: L\n",
            "2:5 'givenName Ada' has no colon\n  hint: write givenName: Ada",
            id="no colon in an item",
        ),
        pytest.param(
            "version: 1\ncohort:beta-2026\n",
            "2:1 'cohort:beta-2026' has no space after the colon\n  hint: write cohort: beta-2026",
            id="no space after the colon",
        ),
        pytest.param(
            "groups:\n  - a\n  -b\n",
            "3:3 '-b' has no space after the hyphen\n  hint: write - b",
            id="no space after the hyphen",
        ),
        pytest.param(
            'a: 1\nb: "open\nc: 2\n',
            '2:4 the quote that opens here is never closed\n  hint: write " at the end of the text',
            id="a quote that stays open",
        ),
        pytest.param(
            "a: 'open\nb: 'x'\n",
            (
                "1:4 the quote that opens here is closed only on line 2\n"
                "  hint: write ' at the end of the text"
            ),
            id="a quote that another one closes",
        ),
        pytest.param("a: 'it's x'\n", f"1:8 {AFTER}", id="an apostrophe in quotes"),
        pytest.param('a: "b" c\n', f"1:8 {AFTER}", id="text after quotes"),
        pytest.param("[{givenName: Ada: x}]\n", f"1:17 {COMMA.format('}')}", id="a colon in { }"),
        pytest.param("a: {b: 'x' c: y}\n", f"1:12 {COMMA.format('}')}", id="no comma in { }"),
        pytest.param("a: [b, 'c' d]\n", f"1:12 {COMMA.format(']')}", id="no comma in [ ]"),
        pytest.param(
            "- {a: 1, b: 2\n- {c: 3}\n",
            (
                "1:3 the { that opens here is not closed\n"
                "  hint: write } at its end, and a comma between two entries"
            ),
            id="an open brace",
        ),
        pytest.param(
            "groups: [a, b\nusers: []\n",
            (
                "1:9 the [ that opens here is not closed\n"
                "  hint: write ] at its end, and a comma between two entries"
            ),
            id="an open bracket",
        ),
        pytest.param(
            "a: [\n",
            (
                "2:1 the file ends inside of brackets that are never closed\n"
                "  hint: write the bracket, ] or }, that is missing at its end"
            ),
            id="an open bracket at the end",
        ),
        pytest.param(
            "a: [b}\n", "1:6 } cannot close what [ opens\n  hint: write ]", id="the wrong bracket"
        ),
        pytest.param(
            "a: []]\n",
            "1:6 ] closes nothing\n  hint: remove it, or put the text in quotes",
            id="a bracket too many",
        ),
        pytest.param("- jobTitle: Lead: Tools\n", f"1:17 {COLON}", id="a colon in a value"),
        pytest.param("'a' b: c: d\n", f"1:5 {AFTER}", id="text before a key"),
        pytest.param("a: - b\n", f"1:4 {LIST}", id="a list on the line of its key"),
        pytest.param("a: @ada\n", f"1:4 {sign('@')}", id="an at sign"),
        pytest.param("a: `ls`\n", f"1:4 {sign('`')}", id="a backtick"),
        pytest.param("a: %x\n", f"1:4 {sign('%')}", id="a percent sign"),
        pytest.param("a: 1\n%b: 1\n", f"2:1 {sign('%')}", id="a percent sign in front"),
        pytest.param("a: & b\n", f"1:4 {sign('&')}", id="an ampersand"),
        pytest.param("a: * b\n", f"1:4 {sign('*')}", id="an asterisk"),
        pytest.param("a: !x!y z\n", f"1:4 {sign('!')}", id="an exclamation mark"),
        pytest.param("a: |b\n", f"1:4 {sign('|')}", id="a bar"),
        pytest.param("a: , b\n", f"1:4 {sign(',')}", id="a comma"),
        pytest.param("a: ? b\n", f"1:4 {sign('?')}", id="a question mark"),
    ],
)
def test_a_mistake_is_told_where_it_is_with_a_remedy(
    text: str, expected: str, loader: type[Loader]
) -> None:
    """Whichever parser gave up, the writer reads the same about the same place."""
    assert told(text, loader).startswith(expected)


def test_an_unknown_escape_is_told() -> None:
    """A path in double quotes is the usual case."""
    assert told('a: "C:\\dir"\n') == (
        "1:7 a backslash in double quotes starts no escape that YAML knows\n"
        "  hint: write \\\\ for a backslash, or put the text in single quotes"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &b &c d\n", f"1:7 the file is not YAML: did not find expected key\n  hint: {GENERAL}"),
        (
            "%YAML 9.9\n---\na: b\n",
            f"1:1 the file is not YAML: found incompatible YAML document\n  hint: {GENERAL}",
        ),
        (
            "a: 1\n... b\n",
            (
                "2:5 the file is not YAML: did not find expected <document start>\n"
                f"  hint: {GENERAL}"
            ),
        ),
    ],
    ids=["two anchors", "another version", "text after the end"],
)
def test_what_no_rule_knows_is_told_in_the_words_of_the_parser(text: str, expected: str) -> None:
    """The parser's own reason comes with a hint that always helps."""
    assert told(text) == expected


def test_what_is_quoted_is_short_and_never_a_token() -> None:
    """A line may hold what nobody should read in a log."""
    assert told(f"a: 1\n{'x' * 99}\n") == (
        f"2:1 '{'x' * 60}…' has no colon\n  hint: write {'x' * 60}…"
    )
    assert told("a: 1\npassword eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln\n") == (
        "2:1 '…' has no colon\n  hint: write …"
    )
