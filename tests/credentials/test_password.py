import copy
import math
import pickle
import random
import resource
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.credentials import Credential, Password, generate
from reconciler.credentials.password import ALPHABET, CLASSES, LENGTH
from reconciler.errors import ReconcilerError

GRAPH_ALLOWS = set(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    "@#$%^&*-_!+=[]{}|\\:',.?/`~\"();<> "
)
NAMES = st.lists(st.text(max_size=20), max_size=5)


@given(names=NAMES)
def test_every_class_is_present(names: list[str]) -> None:
    """Every password has the agreed length and a character of each of the four classes."""
    plaintext = generate(names).reveal()

    assert len(plaintext) == LENGTH
    assert set(plaintext) <= set(ALPHABET)
    assert [bool(set(plaintext) & set(members)) for members in CLASSES] == [True] * 4


@pytest.mark.parametrize(
    "unwanted",
    [
        pytest.param("0Oo1lI|2Z5S8B", id="look-alikes"),
        pytest.param("=+-@\t\r", id="spreadsheet formulas"),
        pytest.param(",;\"' \n", id="CSV quoting"),
    ],
)
def test_alphabet_leaves_out(unwanted: str) -> None:
    """No character of a password is misread, executed by a spreadsheet or quoted in CSV."""
    assert set(ALPHABET) & set(unwanted) == set()


def test_alphabet_is_allowed() -> None:
    """Microsoft Entra accepts every character, and none stands in two classes."""
    assert set(ALPHABET) <= GRAPH_ALLOWS
    assert len(set(ALPHABET)) == len(ALPHABET)


def test_entropy() -> None:
    """The strings that may be drawn are as many as the documentation says: 93.6 bits."""
    sizes = [len(members) for members in CLASSES]
    strings = sum(
        (-1) ** missing * sum((len(ALPHABET) - sum(lost)) ** LENGTH for lost in lots)
        for missing in range(len(sizes) + 1)
        for lots in [combinations(sizes, missing)]
    )

    assert round(math.log2(strings), 1) == 93.6


def test_positions_are_alike() -> None:
    """Each class is equally frequent in every position: none betrays where it was forced."""
    seeded = random.Random(20260101)  # noqa: S311 -- repeatable, and no password of anybody's
    drawn = [generate([], seeded.choice).reveal() for _ in range(4000)]

    for members in CLASSES:
        shares = [sum(p[place] in members for p in drawn) / 4000 for place in range(LENGTH)]
        assert max(shares) - min(shares) < 0.06


def test_characters_are_alike() -> None:
    """Within a class no character is drawn more often than another."""
    seeded = random.Random(20260102)  # noqa: S311 -- repeatable, and no password of anybody's
    counts = Counter(c for _ in range(4000) for c in generate([], seeded.choice).reveal())

    for members in CLASSES:
        frequencies = [counts[c] for c in members]
        assert max(frequencies) < 1.25 * min(frequencies)


def scripted(*passwords: str) -> Callable[[object], str]:
    """Give a choice that draws these passwords, one after the other."""
    characters = iter("".join(passwords))
    return lambda _: next(characters)


@pytest.mark.parametrize(
    ("names", "unlucky"),
    [
        pytest.param(["Ada"], "xxADAxxxxxxxxx3#", id="case"),
        pytest.param(["Zoë Müller"], "xxzoexxxxXxxxx3#", id="accents"),
        pytest.param(["Jean-Luc Picard"], "xxXxPicardxxxx3#", id="words of a display name"),
        pytest.param(["grace.hopper@contoso.com"], "xxXxhUpperhopper3#"[2:], id="UPN"),
        pytest.param(["\uff21\uff44\uff41"], "xxXadaxxxxxxxx3#", id="full width"),
        pytest.param(["ada@contoso.com"], "xxXxxContosoxx3#", id="domain"),
        pytest.param(["ada7"], "xxXadaxxxxxxxx3#", id="letters before digits"),
        pytest.param(["Xu Li"], "kkLikkkkkkkkKK3#", id="two letters"),
    ],
)
def test_names_are_avoided(names: list[str], unlucky: str) -> None:
    """A password that holds a word of the person's name is drawn again."""
    lucky = "kkkkkkkkkkkkKK3#"

    assert generate(names, scripted(unlucky, lucky)).reveal() == lucky


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["X I Xavier"], id="single letters"),
        pytest.param([], id="no names"),
    ],
)
def test_names_that_do_not_count(names: list[str]) -> None:
    """Single letters do not rule a password out."""
    plaintext = "xixuXxxxxxxxxx3#"

    assert generate(names, scripted(plaintext)).reveal() == plaintext


@pytest.mark.parametrize(
    "incomplete",
    ["XXXXXXXXXXXXXX3#", "xxxxxxxxxxxxxx3#", "xxxxxxxxXxxxxxx#", "xxxxxxxXxxxxxxx3"],
    ids=["no lower case", "no upper case", "no digit", "no symbol"],
)
def test_incomplete_draws_are_repeated(incomplete: str) -> None:
    """A draw that lacks a class is thrown away as a whole."""
    complete = "kkkkkkkkkkkkKK3#"

    assert generate([], scripted(incomplete, complete)).reveal() == complete


def test_broken_randomness() -> None:
    """Randomness that never gives a password is an error, not an endless loop."""
    with pytest.raises(ReconcilerError, match="1000 draws"):
        generate([], lambda alphabet: alphabet[0])


SECRET = "kkkkkkkkkkkkKK3#"  # noqa: S105 -- made up, and searched for below


@pytest.mark.parametrize(
    "show",
    [repr, str, "{}".format, "{!r:>30}".format, "{:>30}".format, "%s".__mod__, ascii],
    ids=["repr", "str", "format", "padded repr", "padded", "percent", "ascii"],
)
def test_password_is_not_shown(show: Callable[[Password], str]) -> None:
    """No way of making text of a password, or of what holds one, shows it."""
    assert SECRET not in show(Password(SECRET))
    assert SECRET not in repr(Credential("Ada", "ada@contoso.com", Password(SECRET)))


@pytest.mark.parametrize(
    "take",
    [
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        lambda p: asdict(Credential("Ada", "ada@contoso.com", p)),
        vars,
        hash,
        object.__reduce__,
    ],
    ids=["pickle", "copy", "deepcopy", "asdict", "vars", "hash", "reduce"],
)
def test_password_is_not_copied(take: Callable[[Password], object]) -> None:
    """A password cannot be pickled, copied, hashed or taken apart, and the refusal is silent."""
    with pytest.raises(TypeError) as caught:
        take(Password(SECRET))

    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_equality() -> None:
    """Passwords are equal when their plaintexts are, and equal to nothing else."""
    assert Password(SECRET) == Password(SECRET)
    assert Password(SECRET) != Password("other")
    assert Password(SECRET) != SECRET


HARD_LIMIT = resource.getrlimit(resource.RLIMIT_CORE)[1]
DUMPLESS = """
import resource
from reconciler.credentials import forbid_core_dumps
_, hard = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
print(*resource.getrlimit(resource.RLIMIT_CORE))
forbid_core_dumps()
forbid_core_dumps()
print(*resource.getrlimit(resource.RLIMIT_CORE))
"""


@pytest.mark.skipif(HARD_LIMIT == 0, reason="nobody dumps core here anyway")
def test_no_core_dumps() -> None:
    """A process that asks for it leaves no memory behind when it crashes, and may ask again."""
    ended = subprocess.run(  # noqa: S603 -- this interpreter, our own script
        [sys.executable, "-c", DUMPLESS], check=True, capture_output=True, text=True
    )

    assert ended.stdout.splitlines() == [f"{HARD_LIMIT} {HARD_LIMIT}", f"0 {HARD_LIMIT}"]


def test_no_limits() -> None:
    """Where the system knows no such limits, as Windows, there is nothing to forbid."""
    script = (
        "import sys; sys.modules['resource'] = None\n"
        "from reconciler.credentials import forbid_core_dumps\n"
        "print(forbid_core_dumps())"
    )
    ended = subprocess.run(  # noqa: S603 -- this interpreter, our own script
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )

    assert ended.stdout == "None\n"
