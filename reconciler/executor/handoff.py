"""The text that goes with a sealed file, for people who have never heard of age. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.recipients import introduced
from reconciler.render.github import code
from reconciler.text import counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.executor.receipt import SealedFile

SUFFIX = ".handoff.md"


def handoff(file: SealedFile, recipients: Iterable[str], page: str | None) -> str:
    """Say to each of *recipients* how to open *file*, and what to do with it then.

    *page* is where the file can be fetched, where a workflow has left it.
    """
    name = code(file.path.name)
    open_, unseal = (
        code(f"{tool} {visible(file.path.name)}{rest}")
        for tool, rest in (("age -d -i YOUR_KEY", ""), ("reconciler unseal", " -i YOUR_KEY"))
    )
    keys = "\n".join(f"- {introduced(recipient, code, code)}" for recipient in recipients)
    whence = f"Fetch the artifact `credentials` of <{page}>, within a day" if page else "It is here"
    return f"""\
# First passwords of {counted(file.accounts, "person", "people")} in {code(file.cohort)}

The file {name} holds the names and the first passwords. It is sealed: only who has one of
these keys can open it, each alone. An SSH key is told by its fingerprint, which
`ssh-keygen -l -f YOUR_KEY.pub` prints; what it calls itself, anybody can have written.

{keys}

1. {whence}: {name}.
2. Open it on your own computer, with the private half of your key:
   {open_}, or
   {unseal}.
3. Give each person their own line and nobody else's, by a way that only they can read: in
   person, by telephone, or in a message that deletes itself. Not all of them in one mail.
   Each password works once: the person has to choose another one at the first sign-in.
4. When everybody has signed in, delete what you have opened and this file, and empty the bin.

If a password was lost or somebody else may have seen it, ask an administrator to reset it: no
copy of it exists anywhere else.
"""
