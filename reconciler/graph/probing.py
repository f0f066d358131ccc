"""The questions that nothing but a check-up asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation

from reconciler.errors import GraphUnreachable, PermissionMissing, ReconcilerError
from reconciler.graph.errors import Meaning
from reconciler.graph.remedies import Extension
from reconciler.graph.reply import Reply
from reconciler.graph.steps import Step, failed
from reconciler.model import CohortName

if TYPE_CHECKING:
    from reconciler.graph.claims import Claims
    from reconciler.graph.requests import Requests
    from reconciler.graph.transport import Graph
    from reconciler.model import TenantFile

_PART = "ownership attribute"
_MAY_READ_EXTENSIONS = frozenset(
    {
        "Application.Read.All",
        "Application.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    }
)
"""What it takes to list extensions (Graph, "getAvailableExtensionProperties")."""


async def first_answer(graph: Graph, requests: Requests) -> tuple[Reply, bool]:
    """Give the first answer that shows that Graph is there; and whether one was refused before.

    A refusal for want of a permission is such an answer. Any other trouble is asked again,
    and raised as for every read.
    """
    (answer,) = await graph.batch([requests.organization()])
    error = answer.error if isinstance(answer, Reply) else None
    if isinstance(answer, Reply) and (error is None or error.meaning is Meaning.FORBIDDEN):
        return answer, False
    (reply,) = await graph.read([requests.organization()])
    return reply, error is not None and error.meaning is Meaning.THROTTLED


async def attribute(
    graph: Graph, requests: Requests, tenant_file: TenantFile, found: Claims | None
) -> Step:
    """Ask whether marks can be kept where the tenant file says: by looking for one of nobody.

    Graph refuses to search for what is not registered. Whoever may list extensions is told
    of which type it is, too.
    """
    name = tenant_file.ownership
    if name.startswith("extensionAttribute"):
        told = f"{name} needs no registration; accounts that were ever synced cannot be given it"
        return Step(_PART, told)
    extension = Extension.of(name)
    try:
        await graph.read_all(requests.marked(name, tenant_file.source, [CohortName("nobody")]))
        if found and found.permissions & _MAY_READ_EXTENSIONS:
            (reply,) = await graph.read([_registered(graph)])
            return extension.judged(reply)
    except (PermissionMissing, GraphUnreachable) as error:
        return failed(_PART, error)
    except ReconcilerError as error:
        return extension.unknown(error, graph.root)
    return Step(_PART, extension.told)


def _registered(graph: Graph) -> RequestInformation:
    """Ask for the extensions of all applications; a read, although Graph wants a POST for it."""
    builder = graph.client.directory_objects.get_available_extension_properties
    info = RequestInformation(Method.POST, builder.url_template, dict(builder.path_parameters))
    info.headers.try_add("Accept", "application/json")
    info.headers.try_add("Content-Type", "application/json")
    info.content = b'{"isSyncedFromOnPremises":false}'
    return info
