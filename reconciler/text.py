"""Text from outside, made safe to show and easy to correct.

Names come from files and from the tenant: anybody may have written them. Nothing of
theirs may move a terminal's cursor, reverse a line or hide a character.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""What is shown by nothing, as ranges: Default_Ignorable_Code_Point, what is not assigned yet
included (Unicode 16.0, DerivedCoreProperties.txt; the same since 14.0)."""
_BLANK = "\u2800\ufff9-\ufffb"
"""Blank without being a space: a braille pattern of no dots, the marks around annotations."""
_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
"""Categories Cc, Zl, Zp and Cs, less the layout of a file."""
_LAYOUT = "\t\n\r"
_HIDDEN = re.compile(f"[{_IGNORABLE}{_BLANK}{_CONTROLS}{_LAYOUT}]")
_HIDDEN_IN_FILES = re.compile(f"[{_IGNORABLE}{_BLANK}{_CONTROLS}]")

# Some of them are needed to write, each behind some characters only: Persian and the scripts of
# India spell with joiners (Unicode 16.0, 23.2), emoji are put together with joiners and
# variation selectors (UTS 51), and names in Japan are written with one of several forms of an
# ideograph (UTS 37). There they are text, as any letter is. Behind others they change
# nothing that is seen: behind a Latin letter they only make a second name out of one.
_PICTURES = (
    "\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u27ff\u2900-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff"
)
_JOINING = (
    "\u0600-\u109f\u1700-\u18af\u1900-\u1c4f\u1cd0-\u1cff\ua800-\ua95f\ua980-\uaaff\uabc0-\uabff"
    "\ufb50-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff\U0001e900-\U0001e95f"
)
_JOINED = re.compile(f"[{_JOINING}{_PICTURES}\ufe0f]")
_SELECTED = re.compile(f"[{_PICTURES}]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_NEEDED = {"\u200c": _JOINED, "\u200d": _JOINED, "\ufe0e": _SELECTED, "\ufe0f": _SELECTED} | {
    chr(selector): _HAN for selector in range(0xE0100, 0xE01F0)
}
"""What each of them may stand behind."""
_KEYCAP = "\u20e3"
"""What makes a key of a digit, behind a variation selector: it is seen."""
_NAMELESS = {"Cc": "CONTROL CHARACTER", "Cn": "UNASSIGNED CHARACTER", "Cs": "HALF A CHARACTER"}
_TELLING = 4
"""Letters that the beginning of a name must have to stand for it."""
_COMMAND = re.compile(r"(?<!\S):(?=:)|#(?=#\[)")
_SECRET = re.compile(
    r"AGE-SECRET-KEY-[A-Z0-9]+|AGE-PLUGIN-[\w+.-]{1,64}-1[A-Z0-9]{6,}"
    r"|-----BEGIN [^-]*PRIVATE KEY-----.*|eyJ[\w-]{8,}[\w.-]*"
    r"|b3BlbnNzaC1rZXkt[\w+/=-]*|MI[IGH][\w+/]{20,}[\w+/=]*"
    # GitHub's tokens ("About authentication to GitHub", token formats).
    r"|gh[pousr]_[A-Z0-9]{20,}|github_pat_\w{20,}"
    # A secret of an application in Entra: its version is in the middle (gitleaks, azure-ad).
    r"|(?-i:[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,})"
    # Any bearer token (RFC 6750, 2.1); a challenge has words there, without digits.
    r"|(?P<scheme>\bBearer\s+)(?=[A-Z._~+/-]*\d)[\w.~+/-]{16,}=*",
    re.IGNORECASE | re.DOTALL,
)


def is_hidden(character: str) -> bool:
    """Whether *character*, wherever it stands, controls others or is blank instead of shown.

    Not so the joiners and selectors that some text needs: `hidden_in` tells where it does.
    """
    return character not in _NEEDED and _HIDDEN.fullmatch(character) is not None


def hidden_in(text: str, *, is_file: bool = False) -> Iterator[tuple[int, str]]:
    """Give each hidden character of *text* with its index; a file has tabs and line ends."""
    for found in (_HIDDEN_IN_FILES if is_file else _HIDDEN).finditer(text):
        if is_hidden_there(found):
            yield found.start(), found[0]


def is_hidden_there(found: re.Match[str]) -> bool:
    """Whether the one character that was *found* is hidden in the text that it was found in."""
    character, text = found[0], found.string
    if character not in _NEEDED:
        return is_hidden(character)
    if character == "\ufe0f" and text.startswith(_KEYCAP, found.end()):
        return False
    before = text[max(found.start() - 1, 0) : found.start()]
    return _NEEDED[character].match(before) is None


def name_of(character: str) -> str:
    """Name a character that cannot be shown: `U+202E RIGHT-TO-LEFT OVERRIDE`."""
    nameless = _NAMELESS.get(unicodedata.category(character), "NAMELESS CHARACTER")
    return f"U+{ord(character):04X} {unicodedata.name(character, nameless)}"


def visible(text: str) -> str:
    """Give *text* with every hidden character written out, on one line.

    It is no command to a runner that shows it in its log either: GitHub's obeys
    `::command::` at the start of a line, to which wrapping could move it, and `##[command]`
    anywhere (actions/runner, ActionCommand.cs).
    """
    text = _COMMAND.sub(lambda found: _written_out(found[0]), text)
    return _HIDDEN.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    return _written_out(found[0]) if is_hidden_there(found) else found[0]


def _written_out(character: str) -> str:
    return f"\\u{{{ord(character):x}}}"


def without_secrets(text: str) -> str:
    """Give *text* without what is plainly a secret: private keys, tokens and client secrets.

    For messages that quote what a person typed in the wrong place.
    """
    return _SECRET.sub(r"\g<scheme>…", text)


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Give the candidate that *word* was most likely meant to be, if any is near."""
    wanted = word.casefold()
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    matches = difflib.get_close_matches(wanted, by_folded, n=1, cutoff=0.7)
    if not matches:  # the beginning of a longer name: YAMER for YAMMER_ENTERPRISE
        starts = {folded[: len(wanted) + 1]: folded for folded in reversed(by_folded)}
        near = difflib.get_close_matches(wanted, starts, n=1, cutoff=0.8)
        matches = [starts[start] for start in near if len(wanted) >= _TELLING]
    return by_folded[matches[0]] if matches else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """Give the hint `did you mean '…'?`, if any candidate is near."""
    match = nearest(word, candidates)
    return f"did you mean '{visible(match)}'?" if match else None


def listing(names: Iterable[str], limit: int = 10) -> str:
    """Give `a, b and 3 more`: all of a few names, the first of many."""
    shown = list(names)
    rest = len(shown) - limit
    head = ", ".join(visible(name) for name in shown[:limit])
    return f"{head} and {rest} more" if rest > 0 else head


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Give `1 change`, `2 changes`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
