"""Every request that is sent, built by the SDK's builders; bodies are ours.

The SDK's models drop null, which is how Graph clears a property, so bodies are written
under Graph's own names. Nothing here sends anything.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.directory.deleted_items.graph_user.graph_user_request_builder import (
    GraphUserRequestBuilder,
)
from msgraph.generated.groups.groups_request_builder import GroupsRequestBuilder
from msgraph.generated.groups.item.members.members_request_builder import MembersRequestBuilder
from msgraph.generated.role_management.directory.role_assignments import (
    role_assignments_request_builder,
)
from msgraph.generated.users.item.member_of.member_of_request_builder import MemberOfRequestBuilder
from msgraph.generated.users.users_request_builder import UsersRequestBuilder

from reconciler.fields import FIELDS
from reconciler.model import Mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kiota_abstractions.base_request_builder import BaseRequestBuilder
    from msgraph.graph_service_client import GraphServiceClient

    from reconciler.model import CohortName, ObjectId

_Users = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters
_Groups = GroupsRequestBuilder.GroupsRequestBuilderGetQueryParameters
_Members = MembersRequestBuilder.MembersRequestBuilderGetQueryParameters
_MemberOf = MemberOfRequestBuilder.MemberOfRequestBuilderGetQueryParameters
_Deleted = GraphUserRequestBuilder.GraphUserRequestBuilderGetQueryParameters
_RoleAssignments = (
    role_assignments_request_builder.RoleAssignmentsRequestBuilder
).RoleAssignmentsRequestBuilderGetQueryParameters

IN_VALUES = 15
"""Values that `in (…)` takes in a default query (Graph, known issues of directory objects)."""
PAGE = 999
"""The largest page (Graph, "List users")."""
_LONGEST = 1000
"""Characters of the values in one advanced filter: its whole address has 2,048 (Graph, known
issues of directory objects), and what is selected takes the rest."""
_IDENTITY = ["id", "userPrincipalName"]
_MANAGER = ["manager($select=id,userPrincipalName)"]
_GROUP = [
    "id",
    "displayName",
    "groupTypes",
    "mailEnabled",
    "onPremisesSyncEnabled",
    "isAssignableToRole",
    "assignedLicenses",
]


def mark_property(ownership: str) -> str:
    """Give the property to select for the mark: extensionAttributeN lives in an object."""
    is_slot = ownership.startswith("extensionAttribute")
    return "onPremisesExtensionAttributes" if is_slot else ownership


def mark_path(ownership: str) -> str:
    """Give the path to filter on for the mark."""
    is_slot = ownership.startswith("extensionAttribute")
    return f"onPremisesExtensionAttributes/{ownership}" if is_slot else ownership


def user_properties(ownership: str) -> list[str]:
    """Give everything that is read of an account."""
    return [
        *_IDENTITY,
        *(field.name for field in FIELDS),
        "licenseAssignmentStates",
        "onPremisesSyncEnabled",
        mark_property(ownership),
    ]


def quoted(value: str) -> str:
    """Write *value* as a string of an OData filter."""
    return "'" + value.replace("'", "''") + "'"


def in_filters(path: str, values: Iterable[str], longest: float = inf) -> Iterator[str]:
    """Give filters that together match all of *values*, each of as many as Graph takes.

    *longest* bounds the characters that the values of one take in an address.
    """
    listed: list[str] = []
    characters = 0
    for value in map(quoted, values):
        more = len(quote(f"{value},", safe=""))
        if listed and (len(listed) == IN_VALUES or characters + more > longest):
            yield f"{path} in ({','.join(listed)})"
            listed, characters = [], 0
        listed.append(value)
        characters += more
    if listed:
        yield f"{path} in ({','.join(listed)})"


class Requests:
    """The requests to one tenant's Graph."""

    def __init__(self, client: GraphServiceClient) -> None:
        self._client = client
        self._directory = client.role_management.directory

    # --- reads -----------------------------------------------------------------------

    def organization(self) -> RequestInformation:
        """Ask for the tenant itself."""
        return self._client.organization.to_get_request_information()

    def domains(self) -> RequestInformation:
        """Ask for the tenant's domains."""
        return self._client.domains.to_get_request_information()

    def subscribed_skus(self) -> RequestInformation:
        """Ask for what licences there are."""
        return self._client.subscribed_skus.to_get_request_information()

    def role_definitions(self) -> RequestInformation:
        """Ask for the directory roles."""
        return self._directory.role_definitions.to_get_request_information()

    def role_assignments(self, role: ObjectId) -> RequestInformation:
        """Ask who holds *role*."""
        parameters = _RoleAssignments(filter=f"roleDefinitionId eq {quoted(role)}")
        builder = self._directory.role_assignments
        return builder.to_get_request_information(RequestConfiguration(query_parameters=parameters))

    def users(
        self, ownership: str, *, names: Iterable[str] = (), ids: Iterable[str] = ()
    ) -> list[RequestInformation]:
        """Ask for the accounts with these userPrincipalNames or ids, wholly.

        No index that lags stands between the question and the accounts.
        """
        filters = [*in_filters("userPrincipalName", names), *in_filters("id", ids)]
        select = user_properties(ownership)
        return [
            self._users(_Users(filter=filter_, select=select, expand=_MANAGER))
            for filter_ in filters
        ]

    def people(self, names: Iterable[str], ids: Iterable[str]) -> list[RequestInformation]:
        """Ask who the accounts with these userPrincipalNames or ids are."""
        filters = [*in_filters("userPrincipalName", names), *in_filters("id", ids)]
        return [self._users(_Users(filter=filter_, select=_IDENTITY)) for filter_ in filters]

    def marked(
        self, ownership: str, source: str, cohorts: Iterable[CohortName] | None = None
    ) -> list[RequestInformation]:
        """Ask for the accounts that carry a mark of *source*, all or those of *cohorts*.

        Advanced queries: their index lags behind writes, and Graph does not expand managers
        there (Graph, "Advanced query capabilities").
        """
        path = mark_path(ownership)
        if cohorts is None:
            filters = [f"startsWith({path},{quoted(f'{source}/')})"]
        else:
            marks = sorted(str(Mark(source, cohort)) for cohort in cohorts)
            filters = list(in_filters(path, marks, _LONGEST))
        return [self._marked(filter_, ownership) for filter_ in filters]

    def _marked(self, filter_: str, ownership: str) -> RequestInformation:
        select = user_properties(ownership)
        info = self._users(_Users(filter=filter_, select=select, count=True, top=PAGE))
        info.headers.try_add("ConsistencyLevel", "eventual")
        return info

    def _users(self, parameters: _Users) -> RequestInformation:
        return self._client.users.to_get_request_information(
            RequestConfiguration(query_parameters=parameters)
        )

    def identity(self, name: str, ownership: str) -> RequestInformation:
        """Ask directly who has the userPrincipalName *name*, and whose mark it carries."""
        # The plain form, /users/{name}, breaks on a name that begins with $ (Azure CLI's
        # recordings, test_special_characters_in_upn).
        template = "{+baseurl}/users('{name}'){?%24select}"
        key = {"name": name.replace("'", "''")}
        info = RequestInformation(Method.GET, template, key)
        info.query_parameters["%24select"] = [*_IDENTITY, mark_property(ownership)]
        info.headers.try_add("Accept", "application/json")
        return info

    def deleted_users(self, ownership: str) -> RequestInformation:
        """Ask for the recycle bin."""
        select = [*user_properties(ownership), "deletedDateTime"]
        parameters = _Deleted(select=select, top=PAGE)
        return self._client.directory.deleted_items.graph_user.to_get_request_information(
            RequestConfiguration(query_parameters=parameters)
        )

    def members(self, group: ObjectId) -> RequestInformation:
        """Ask for the direct members of *group*."""
        parameters = _Members(select=["id"], top=PAGE)
        return self._client.groups.by_group_id(group).members.to_get_request_information(
            RequestConfiguration(query_parameters=parameters)
        )

    def member_of(self, user: ObjectId) -> RequestInformation:
        """Ask what *user* is directly in, which are not only groups.

        It takes a permission beyond those of a plan: see `permissions.may_ask_member_of`.
        """
        parameters = _MemberOf(select=["id"], top=PAGE)
        return self._client.users.by_user_id(user).member_of.to_get_request_information(
            RequestConfiguration(query_parameters=parameters)
        )

    def groups(self, names: Iterable[str], ids: Iterable[str]) -> list[RequestInformation]:
        """Ask for the groups with these displayNames or ids."""
        filters = [*in_filters("displayName", names), *in_filters("id", ids)]
        return [self._groups(_Groups(filter=filter_, select=_GROUP)) for filter_ in filters]

    def groups_like(self, name: str) -> RequestInformation:
        """Ask for some groups whose displayName begins as *name* does."""
        filter_ = f"startsWith(displayName,{quoted(name[:1])})"
        return self._groups(_Groups(filter=filter_, select=_GROUP, top=PAGE))

    def _groups(self, parameters: _Groups) -> RequestInformation:
        return self._client.groups.to_get_request_information(
            RequestConfiguration(query_parameters=parameters)
        )

    # --- writes ----------------------------------------------------------------------

    def create_user(self, body: Mapping[str, Any]) -> RequestInformation:
        """Create an account."""
        return _with_body(Method.POST, self._client.users, body)

    def update_user(self, user: ObjectId, body: Mapping[str, Any]) -> RequestInformation:
        """Change an account's properties; null clears."""
        return _with_body(Method.PATCH, self._client.users.by_user_id(user), body)

    def delete_user(self, user: ObjectId) -> RequestInformation:
        """Move an account to the recycle bin."""
        return _without_body(Method.DELETE, self._client.users.by_user_id(user))

    def restore_user(self, user: ObjectId) -> RequestInformation:
        """Bring an account back from the recycle bin."""
        item = self._client.directory.deleted_items.by_directory_object_id(user)
        return _with_body(Method.POST, item.restore, {})

    def revoke_sessions(self, user: ObjectId) -> RequestInformation:
        """End an account's sessions."""
        builder = self._client.users.by_user_id(user).revoke_sign_in_sessions
        return _with_body(Method.POST, builder, {})

    def set_manager(self, user: ObjectId, manager: ObjectId, root: str) -> RequestInformation:
        """Make *manager* the one whom *user* reports to."""
        builder = self._client.users.by_user_id(user).manager.ref
        return _with_body(Method.PUT, builder, {"@odata.id": f"{root}/users/{manager}"})

    def clear_manager(self, user: ObjectId) -> RequestInformation:
        """Take the manager away."""
        return _without_body(Method.DELETE, self._client.users.by_user_id(user).manager.ref)

    def assign_license(
        self, user: ObjectId, add: Sequence[Mapping[str, Any]], remove: Sequence[ObjectId]
    ) -> RequestInformation:
        """Change an account's licences, all at once; Graph wants both lists, always."""
        builder = self._client.users.by_user_id(user).assign_license
        body = {"addLicenses": list(add), "removeLicenses": list(remove)}
        return _with_body(Method.POST, builder, body)

    def add_member(self, group: ObjectId, user: ObjectId, root: str) -> RequestInformation:
        """Make *user* a member of *group*."""
        builder = self._client.groups.by_group_id(group).members.ref
        return _with_body(Method.POST, builder, {"@odata.id": _object(root, user)})

    def add_members(
        self, group: ObjectId, users: Sequence[ObjectId], root: str
    ) -> RequestInformation:
        """Make up to twenty users members of *group*: all of them, or none."""
        body = {"members@odata.bind": [_object(root, user) for user in users]}
        return _with_body(Method.PATCH, self._client.groups.by_group_id(group), body)

    def remove_member(self, group: ObjectId, user: ObjectId) -> RequestInformation:
        """End a membership. Without `/$ref` at its end the request could delete the account."""
        members = self._client.groups.by_group_id(group).members
        info = _without_body(Method.DELETE, members.by_directory_object_id(user).ref)
        assert info.url_template is not None  # noqa: S101 -- the builder's own
        assert info.url_template.partition("{?")[0].endswith("/$ref")  # noqa: S101 -- see above
        return info

    def assign_role(self, user: ObjectId, role: ObjectId, scope: str) -> RequestInformation:
        """Give *user* a directory role, permanently."""
        body = {
            "@odata.type": "#microsoft.graph.unifiedRoleAssignment",
            "roleDefinitionId": role,
            "principalId": user,
            "directoryScopeId": scope,
        }
        return _with_body(Method.POST, self._directory.role_assignments, body)

    def revoke_role(self, assignment: ObjectId) -> RequestInformation:
        """Take a directory role away."""
        builder = self._directory.role_assignments
        item = builder.by_unified_role_assignment_id(assignment)
        return _without_body(Method.DELETE, item)


def _object(root: str, user: ObjectId) -> str:
    return f"{root}/directoryObjects/{user}"


def _without_body(method: Method, builder: BaseRequestBuilder) -> RequestInformation:
    info = RequestInformation(method, builder.url_template, dict(builder.path_parameters))
    info.headers.try_add("Accept", "application/json")
    return info


def _with_body(
    method: Method, builder: BaseRequestBuilder, body: Mapping[str, Any]
) -> RequestInformation:
    info = _without_body(method, builder)
    info.headers.try_add("Content-Type", "application/json")
    info.content = orjson.dumps(body)
    return info
