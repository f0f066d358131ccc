"""The lock between review and apply: what was approved is what runs, or less of it.

Operations are compared by what they mean. When they were planned, in which order, the ids
that Graph gave meanwhile and how many seats are free make no difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.changes import ManagerKey, Update
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.model import folded
from reconciler.plan import digest_of, operations
from reconciler.recipients import introduced
from reconciler.text import counted, listing, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.changes import Change
    from reconciler.plan import Plan

AGAIN = "let the plan be made and approved again, or apply by hand what is right now"
_Operation = dict[str, Any]
_Fields = dict[str, tuple[object, object]]


class NotApprovable(ValueError):  # noqa: N818 -- it is the document that cannot be approved
    """A document is no plan that anybody could have approved."""


@dataclass(frozen=True, slots=True)
class Approved:
    """What reviewers saw: the operations of a plan, by address and action."""

    digest: str
    tenant_id: str
    ownership: tuple[str, str]
    recipients: Mapping[str, frozenset[str]]
    operations: Mapping[tuple[str, str], _Operation]
    declarations: Mapping[str, str]
    """What the files said of each person, summed up, by folded userPrincipalName."""

    @property
    def people(self) -> frozenset[str]:
        """Whom the operations are about, by folded userPrincipalName."""
        return frozenset(one["person"] for one in self.operations.values())


def approved(document: Any, misfit: Callable[[object], str | None]) -> Approved:  # noqa: ANN401 -- JSON
    """Read the JSON form of a plan; raises `NotApprovable` for anything else.

    *misfit* says where a document is not as `schema/plan.schema.json` wants a plan; nothing of
    the document is read before it has nothing to say. The digest is made anew from the
    operations: a document that was changed by hand, or cut short, does not fit its digest.
    """
    if problem := misfit(document):
        raise NotApprovable(f"it is not the JSON form of a plan: {problem}")
    whole = _operations_of(document)
    digest, is_applyable = document["digest"], document["applyable"]
    if digest_of(whole) != digest:
        raise NotApprovable("its digest does not fit its operations")
    if not is_applyable:
        raise NotApprovable("it was refused by a guard")
    source, ownership = whole["ownership"]
    return Approved(
        digest,
        whole["tenant"],
        (source, ownership),
        {name: frozenset(keys) for name, keys in whole["recipients"].items()},
        {
            (one["address"], one["action"]): {
                **one,
                "person": folded(change["user"]["userPrincipalName"]),
            }
            for one, change in zip(whole["changes"], document["changes"], strict=True)
        },
        document["declarations"],
    )


def _operations_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the digest of a plan is made of, from its JSON form."""
    return {
        "tenant": document["tenant"]["id"],
        "ownership": [document["source"], document["ownership"]],
        "recipients": {
            each["cohort"]: sorted(each["recipients"]) for each in document["credentials"]
        },
        "changes": [
            {
                "address": change["address"],
                "action": change["action"],
                "account": change["user"]["id"],
                "cohort": change["cohort"],
                "fields": [
                    [field["path"], field["before"], field["after"]] for field in change["fields"]
                ],
            }
            for change in document["changes"]
        ],
    }


def bystanders(plan: Plan, reviewed: Approved) -> Mapping[Change, Diagnostic]:
    """Give the changes that the tenant asks for and no file, each with a note that says so.

    They are about people of whom the files say what they said when the plan was approved, and
    of whom that plan had nothing to change: somebody changed them in the tenant since. Nobody
    approved that either, so that they are left for the next plan, and for `drift` to tell.
    """
    now = plan.declarations
    approved_people = reviewed.people
    found: dict[Change, Diagnostic] = {}
    for change in plan.changes:
        name = folded(change.key.account.user_principal_name)
        is_as_reviewed = name in now and now[name] == reviewed.declarations.get(name)
        if is_as_reviewed and name not in approved_people:
            found[change] = Diagnostic(
                f"{_named(change)} is left out: the files say what they said when the plan was "
                "approved, so that this was changed in the tenant since",
                "`reconciler drift` tells of it; the next plan that is approved can change it back",
                change.position,
                Severity.NOTE,
            )
    kept = (change.key for change in plan.changes if change not in found)
    needed = {
        folded(key.manager.user_principal_name)
        for key in kept
        if isinstance(key, ManagerKey) and key.manager and not key.manager.id
    }
    return {
        change: note
        for change, note in found.items()
        if folded(change.key.account.user_principal_name) not in needed
    }


def beyond(plan: Plan, reviewed: Approved) -> tuple[Diagnostic, ...]:
    """Tell what *plan* would do that was not approved; nothing where it does as much or less."""
    return (*_surroundings(plan, reviewed), *_operations(plan, reviewed))


def _surroundings(plan: Plan, reviewed: Approved) -> Iterator[Diagnostic]:
    if plan.tenant.id != reviewed.tenant_id:
        yield Diagnostic(
            f"the plan was approved for the tenant {visible(reviewed.tenant_id)}, and this is "
            f"{visible(plan.tenant.id)}",
            AGAIN,
        )
    if (plan.source, plan.ownership) != reviewed.ownership:
        was, now = " in ".join(reviewed.ownership), f"{plan.source} in {plan.ownership}"
        yield Diagnostic(
            f"the ownership mark was approved as {visible(was)}, and is {visible(now)} now", AGAIN
        )
    for cohort, keys in sorted(plan.recipients.items()):
        more = frozenset(keys) - reviewed.recipients.get(cohort, frozenset())
        if more:
            yield Diagnostic(
                f"initial credentials of '{visible(cohort)}' would be sealed to "
                f"{counted(len(more), 'recipient')} that nobody approved: "
                f"{listing((introduced(key, str, _quoted) for key in sorted(more)), 3)}",
                AGAIN,
            )


def _quoted(name: str) -> str:
    return f"'{name}'"


def _operations(plan: Plan, reviewed: Approved) -> Iterator[Diagnostic]:
    everything = operations(plan)["changes"]
    for change, now in zip(plan.changes, everything, strict=True):
        was = reviewed.operations.get((now["address"], now["action"]))
        if was is None:
            yield _told(change, f"{_named(change)} was not approved")
        elif difference := _difference(change, was, now):
            yield _told(change, f"{_named(change)} was approved otherwise: {difference}")


def _told(change: Change, summary: str) -> Diagnostic:
    return Diagnostic(summary, AGAIN, change.position)


def _named(change: Change) -> str:
    """Give `create license 'SPE_E5' of 'ada@contoso.com'`."""
    account = visible(change.key.account.user_principal_name)
    if change.key.kind == "user":
        return f"{change.verb} user '{account}'"
    return f"{change.verb} {change.key.kind} '{visible(change.key.name)}' of '{account}'"


def _difference(change: Change, was: _Operation, now: _Operation) -> str | None:
    """Tell how an operation differs from the one of its name that was approved."""
    if was["account"] not in {None, now["account"]}:
        # An account that was to be created has an id once an earlier run has created it.
        return f"of the account {visible(str(was['account']))}, which is another one now"
    if was["cohort"] != now["cohort"]:
        return f"for the cohort '{visible(was['cohort'])}', now for '{visible(now['cohort'])}'"
    before, after = _fields(was), _fields(now)
    # Each field of an update stands for itself; a new account is approved as a whole.
    paths = after if isinstance(change, Update) else before | after
    told = (_turned(path, before.get(path), after.get(path)) for path in paths)
    return "; ".join(filter(None, told)) or None


def _fields(of: _Operation) -> _Fields:
    return {path: (_plain(before), _plain(after)) for path, before, after in of["fields"]}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _turned(
    path: str, was: tuple[object, object] | None, now: tuple[object, object] | None
) -> str | None:
    if was == now:
        return None
    return f"{path} {_shown(was)}, now {_shown(now)}"


def _shown(values: tuple[object, object] | None) -> str:
    if values is None:
        return "as it is"
    before, after = (visible("nothing" if value is None else f"{value!r}") for value in values)
    return f"{before} → {after}"
