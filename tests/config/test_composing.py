from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.composing import LOADER, MAX_VALUES, compose
from reconciler.config.documents import Document, Series, Table, Unreadable, Value
from reconciler.config.schema import readings
from reconciler.diagnostics import Position

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.config.conftest import Repository

COHORTS = Path(__file__).parents[2] / "cohorts"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("NO", "NO", id="Norway"),
        pytest.param("007", "007", id="zeros in front"),
        pytest.param("Null", "Null", id="a person called Null"),
        pytest.param("NULL", "NULL", id="null in capitals"),
        pytest.param("Yes", "Yes", id="a person called Yes"),
        pytest.param("on", "on", id="on"),
        pytest.param("true", "true", id="true where text is wanted"),
        pytest.param("1_000", "1_000", id="digits with an underscore"),
        pytest.param("0x1F", "0x1F", id="hexadecimal digits"),
        pytest.param("1e3", "1e3", id="an exponent"),
        pytest.param("12:30:45", "12:30:45", id="digits of base 60"),
        pytest.param("2026-09-01", "2026-09-01", id="a date"),
        pytest.param(".inf", ".inf", id="infinity"),
        pytest.param("=", "=", id="an equals sign"),
        pytest.param("'null'", "null", id="null in quotes"),
        pytest.param('"~"', "~", id="a tilde in quotes"),
        pytest.param("!!str null", "null", id="null that says it is text"),
        pytest.param("null", None, id="null"),
        pytest.param("~", None, id="a tilde"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_text_is_text(repository: Repository, written: str, read: str | None) -> None:
    """A plain scalar stays as it is written; only null, a tilde and nothing clear."""
    users = f"  - userPrincipalName: a@contoso.com\n    displayName: A\n    jobTitle: {written}\n"

    assert repository.people(users)[0].fields["jobTitle"] == read


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(
            "version: 1\ncohort: a\nversion: 1\nusers: []\n",
            "c.yaml:3:1: error: key 'version' is given twice, first at c.yaml:1:1\n"
            "  hint: keep one of them",
            id="a key twice",
        ),
        pytest.param(
            "version: 1\ncohort: a\nusers: []\n<<: {description: b}\n",
            "c.yaml:4:1: error: merge keys (<<) are not supported\n"
            "  hint: write the values out, or put what people share under 'defaults'",
            id="a merge key",
        ),
        pytest.param(
            "version: 1\ncohort: a\nusers: []\n~: x\n",
            "c.yaml:4:1: error: a key is not text\n  hint: put the key in quotes",
            id="null as a key",
        ),
        pytest.param(
            "version: 1\ncohort: a\nusers: []\n? [x, y]\n: z\n",
            "c.yaml:4:3: error: a key is not text\n  hint: put the key in quotes",
            id="a list as a key",
        ),
        pytest.param(
            "version: 1\ncohort: &k a\nusers: []\n*k : z\n",
            "c.yaml:4:1: error: a key is not text\n  hint: put the key in quotes",
            id="an alias as a key",
        ),
        pytest.param(
            "version: 1\ncohort: a\nusers: !!seq []\n",
            "c.yaml:3:8: error: tag '!!seq' is not supported\n"
            "  hint: remove the tag; text is text without one",
            id="a tag on a list",
        ),
        pytest.param(
            "version: 1\ncohort: !!python/name:os.system a\nusers: []\n",
            "c.yaml:2:9: error: tag '!!python/name:os.system' is not supported\n"
            "  hint: remove the tag; text is text without one",
            id="a tag that names code",
        ),
        pytest.param(
            "version: 1\n---\ncohort: a\n",
            "c.yaml:2:1: error: the file holds several documents\n  hint: use one file for each",
            id="several documents",
        ),
        pytest.param(
            "# nothing\n",
            "c.yaml:2:1: error: the file is empty\n  hint: remove it, or declare a cohort",
            id="nothing but a comment",
        ),
        pytest.param(
            "- a\n",
            "c.yaml:1:1: error: the file must be a mapping of keys to values, not a list\n"
            "  hint: start with version: 1, and give each value a key",
            id="a list",
        ),
        pytest.param(
            "a: *b\n",
            "c.yaml:1:4: error: alias '*b' stands for nothing\n"
            "  hint: put text that starts with * in quotes",
            id="an alias of nothing",
        ),
        pytest.param(
            "a: &a [*a]\n",
            "c.yaml:1:8: error: alias '*a' stands inside what it stands for\n"
            "  hint: write the value out",
            id="an alias of itself",
        ),
        pytest.param(
            "[" * 50 + "]" * 50,
            "c.yaml:1:33: error: the file nests deeper than 32 levels\n"
            "  hint: a cohort file needs seven: check its brackets",
            id="too deep",
        ),
        pytest.param(
            "version: 1\n\tcohort: a\n",
            "c.yaml:2:1: error: a tab is used for indentation\n  hint: replace the tab with spaces",
            id="a tab",
        ),
        pytest.param(
            "description: a: b\n",
            "c.yaml:1:15: error: a value that is not in quotes holds a colon and a space\n"
            "  hint: put the value in quotes",
            id="a colon",
        ),
        pytest.param(
            'version: 1\ncohort: a\nusers: []\ndescription: "a\\u202eb"\n',
            "c.yaml:4:14: error: text holds U+202E RIGHT-TO-LEFT OVERRIDE\n"
            "  hint: remove the character",
            id="an override in an escape",
        ),
        pytest.param(
            "version: 1\ncohort: a\nusers: []\ndescription: |\n  a\n",
            "c.yaml:4:14: error: text holds U+000A CONTROL CHARACTER\n"
            "  hint: write it on one line (>- folds lines into one)",
            id="a line end in text",
        ),
        pytest.param(
            "version: 1\ncohort: a\nusers: [] # a\u2066b\n",
            "c.yaml:3:14: error: the file holds U+2066 LEFT-TO-RIGHT ISOLATE, "
            "which cannot be seen\n  hint: remove the character",
            id="an isolate in a comment",
        ),
        pytest.param(
            "version: 1\ncohort: a\nusers: [] # a\u00adb\n",
            "c.yaml:3:14: error: the file holds U+00AD SOFT HYPHEN, which cannot be seen\n"
            "  hint: remove the character",
            id="a soft hyphen",
        ),
        pytest.param(
            "version: 1\ncohort: a\nusers: [] # \u3164\n",
            "c.yaml:3:13: error: the file holds U+3164 HANGUL FILLER, which cannot be seen\n"
            "  hint: remove the character",
            id="a filler",
        ),
        pytest.param(
            "version: 1\ncohort: a\nusers: [] # ad\u200dmin\n",
            "c.yaml:3:15: error: the file holds U+200D ZERO WIDTH JOINER, which cannot be seen\n"
            "  hint: remove the character",
            id="a joiner that joins nothing",
        ),
        pytest.param(
            'version: 1\ncohort: a\nusers: []\ndescription: "Ada\\uFE0F ❤\\uFE0F"\n',
            "c.yaml:4:14: error: text holds U+FE0F VARIATION SELECTOR-16\n"
            "  hint: remove the character",
            id="a selector in an escape",
        ),
        pytest.param(
            "# AGE-PLUGIN-FIDO2-HMAC-1QQPQ2\n",
            "c.yaml:1:3: error: the file holds a private key\n"
            "  hint: take it out of the file and of the history, make a new pair, and list its "
            "public key",
            id="an identity of a plug-in whose name has a hyphen",
        ),
        pytest.param(
            "version: 1\r\ncohort: a\x07\r\n",
            "c.yaml:2:10: error: the file holds U+0007 CONTROL CHARACTER, which cannot be seen\n"
            "  hint: remove the character",
            id="a control character after a Windows line end",
        ),
        pytest.param(
            "a: \ufffe\n",
            "c.yaml:1:1: error: the file holds U+FFFE, which YAML does not allow\n"
            "  hint: remove the character",
            id="a character that is none",
        ),
        pytest.param(
            b"version: 1\ncohort: \xe9t\xe9\n",
            "c.yaml:2:9: error: the file is not UTF-8: byte 0xE9\n  hint: save it as UTF-8",
            id="Latin-1",
        ),
        pytest.param(
            "version: 1\n".encode("utf-16"),
            "c.yaml:1:1: error: the file is not UTF-8: byte 0xFF\n  hint: save it as UTF-8",
            id="UTF-16",
        ),
    ],
)
def test_what_yaml_may_not_hold_is_refused_with_its_place(
    repository: Repository, content: str | bytes, told: str
) -> None:
    """What a reader could misunderstand is refused, with place and remedy."""
    assert repository.told_of(content) == [told]


def test_a_byte_order_mark_is_passed_over(repository: Repository) -> None:
    """UTF-8 may start with a mark, and columns are counted without it."""
    assert repository.told_of("\ufeffx: 1\nversion: 1\ncohort: a\nusers: []\n") == [
        (
            "c.yaml:1:1: error: unknown key 'x'\n"
            "  hint: known here: version, cohort, description, requester, defaults, licenses, "
            "groups, roles, credentials, users"
        )
    ]


def test_aliases_stand_for_what_was_anchored(repository: Repository) -> None:
    """An anchor and its aliases are read as if the value were written out."""
    users = (
        "  - {userPrincipalName: a@contoso.com, displayName: A, businessPhones: &p ['1']}\n"
        "  - {userPrincipalName: b@contoso.com, displayName: B, businessPhones: *p}\n"
    )
    assert [user.fields["businessPhones"] for user in repository.people(users)] == [("1",), ("1",)]


def test_a_billion_laughs_are_refused_before_they_are_laughed() -> None:
    """Aliases of aliases are counted as what they stand for, without building it."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]

    with pytest.raises(Unreadable) as caught:
        compose("c.yaml", "\n".join(lines), {})

    summaries = [diagnostic.summary for diagnostic in caught.value.diagnostics]
    assert summaries == [f"the file holds more than {MAX_VALUES:,} values"]


def test_a_file_of_nothing_but_mistakes_is_not_read_to_its_end() -> None:
    """After twenty thousand problems the rest of a file is not worth reading."""
    with pytest.raises(Unreadable) as caught:
        compose("c.yaml", "a: 1\n" * 30_000, {})

    assert len(caught.value.diagnostics) == 20_000


@pytest.mark.parametrize(
    ("written", "read"),
    [("true", True), ("false", False), ("True", "True"), ("yes", "yes"), ("'true'", "true")],
)
def test_only_true_and_false_are_booleans(written: str, read: Value) -> None:
    """Where the schema wants a boolean, only two spellings of it are one."""
    root = compose("c.yaml", f"adopt: {written}", readings("cohort")).root

    assert root == {"adopt": read}


@pytest.mark.parametrize(
    ("written", "read"),
    [("1", 1), ("01", 1), ("-1", "-1"), ("1.0", "1.0"), ("٣", "٣"), ("9" * 5000, "9" * 5000)],
    ids=["digit", "zero in front", "sign", "fraction", "Arabic digit", "too many digits"],
)
def test_only_decimal_digits_are_integers(written: str, read: Value) -> None:
    """Where the schema wants an integer, only decimal digits are one."""
    root = compose("c.yaml", f"version: {written}", readings("cohort")).root

    assert root == {"version": read}


def trees(value: Value) -> Any:  # noqa: ANN401 -- a tree of anything
    """Give *value* without its places."""
    if isinstance(value, Table):
        return {key: trees(item) for key, item in value.items()}
    return [trees(item) for item in value] if isinstance(value, Series) else value


texts = st.text(
    st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=20
).filter(lambda text: text.isprintable())
documents = st.recursive(
    texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=12
)


@given(documents)
def test_quoted_text_survives(document: object) -> None:
    """Whatever text another tool writes in quotes is read back as it was."""
    written = yaml.safe_dump(document, default_style='"', allow_unicode=True, width=10_000)
    written = written.replace("!!int ", "").replace("!!float ", "")

    assert trees(compose("c.yaml", written, {}).root) == document


@given(st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,11}", fullmatch=True), min_size=1))
def test_positions_point_at_the_value(words: list[str]) -> None:
    """The line and the column of a value are where its first character stands."""
    written = "words:\n" + "".join(f"  - {' ' * (n % 3)}{word}\n" for n, word in enumerate(words))
    document = compose("c.yaml", written, {})
    lines = written.splitlines()

    for number, value in enumerate(trees(document.root)["words"]):
        place = document.at(("words", number))
        assert place == Position("c.yaml", number + 2, place.column)
        assert lines[place.line - 1][place.column - 1 :] == (value or "null")


@pytest.mark.parametrize("file", sorted(COHORTS.glob("*.yaml")), ids=lambda file: str(file.stem))
def test_both_parsers_read_the_same(file: Path) -> None:
    """Where PyYAML comes without libyaml, only the time that it takes differs."""
    text = file.read_text(encoding="utf-8")
    quick, plain = (
        compose(file.name, text, readings("cohort"), loader=loader)
        for loader in (LOADER, yaml.SafeLoader)
    )

    assert trees(plain.root) == trees(quick.root)
    assert list(places(plain)) == list(places(quick))


@pytest.mark.parametrize("text", ["a: [\n", "a: \ufffe\n", "a: b: c\n", "- !x y\n", "\t- a\n"])
def test_both_parsers_refuse_the_same(text: str) -> None:
    """What is no YAML is told at one place, though in other words."""
    told = []
    for loader in (LOADER, yaml.SafeLoader):
        try:
            diagnostics = compose("c.yaml", text, {}, loader=loader).diagnostics
        except Unreadable as error:
            diagnostics = error.diagnostics
        told.append([diagnostic.position for diagnostic in diagnostics])

    assert told[0] == told[1] != []


def places(document: Document, path: tuple[str | int, ...] = ()) -> Iterator[Position]:
    """Give the place of every value of *document*, in order."""
    yield document.at(path)
    value: Any = document.root
    for step in path:
        value = value[step]
    keys = (
        value if isinstance(value, Table) else range(len(value) if isinstance(value, Series) else 0)
    )
    for key in keys:
        yield from places(document, (*path, key))
