"""The text that goes with a sealed file, for people who have never heard of age. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.text import counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.executor.receipt import SealedFile

SUFFIX = ".handoff.md"


def handoff(file: SealedFile, recipients: Iterable[str], page: str | None) -> str:
    """Say to each of *recipients* how to open *file*, and what to do with it then.

    *page* is where the file can be fetched, where a workflow has left it.
    """
    name = file.path.name
    keys = "\n".join(f"- `{_shown(recipient)}`" for recipient in recipients)
    whence = f"Fetch the artifact `credentials` of <{page}>, within a day" if page else "It is here"
    return f"""\
# First passwords of {counted(file.accounts, "person", "people")} in {visible(file.cohort)}

The file `{name}` holds the names and the first passwords. It is sealed: only who has one of
these keys can open it, each alone.

{keys}

1. {whence}: `{name}`.
2. Open it on your own computer, with the private half of your key:
   `age -d -i YOUR_KEY {name}`, or
   `reconciler unseal {name} -i YOUR_KEY`.
3. Give each person their own line and nobody else's, by a way that only they can read: in
   person, by telephone, or in a message that deletes itself. Not all of them in one mail.
   Each password works once: the person has to choose another one at the first sign-in.
4. When everybody has signed in, delete what you have opened and this file, and empty the bin.

If a password was lost or somebody else may have seen it, ask an administrator to reset it: no
copy of it exists anywhere else.
"""


def _shown(recipient: str) -> str:
    """Give a public key whole: they are compared, and a part would fit look-alikes."""
    return visible(recipient.strip()).replace("`", "'")
