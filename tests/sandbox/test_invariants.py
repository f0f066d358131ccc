"""Any sequence of what people do to a tenant leaves it in order."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from reconciler.sandbox.company.contoso import APPLY_APP
from reconciler.sandbox.company.skus import ID_OF
from reconciler.sandbox.data import keeping
from reconciler.sandbox.login import tokens
from reconciler.sandbox.tenant import Tenant
from reconciler.sandbox.wire import Incoming

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PERMISSIONS = (
    "AdministrativeUnit.ReadWrite.All",
    "Directory.ReadWrite.All",
    "Group.ReadWrite.All",
    "RoleManagement.ReadWrite.Directory",
    "User.ReadWrite.All",
)
PRIVILEGED_AUTHENTICATION_ADMINISTRATOR = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
ROLES = ("88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "95e79109-95c0-4d8e-aee3-d01accf2d47b")
NAMES = ("ada", "bob", "Ada", "cy", "dee")
"""Few, so that they collide; two differ in capitals alone."""
SKUS = ("SPE_E5", "SPE_E3", "POWER_BI_PRO", "PROJECTPROFESSIONAL")
OK, CREATED, ACCEPTED, DONE = 200, 201, 202, 204
WRONG, UNKNOWN, BROKEN = 400, 404, 500

names = st.sampled_from(NAMES)
skus = st.sampled_from([ID_OF[name] for name in SKUS])


def some(bundle: SearchStrategy[str]) -> SearchStrategy[list[str]]:
    """Give a few of *bundle*, each once."""
    return st.lists(bundle, min_size=1, max_size=3, unique=True)


class TenantMachine(RuleBasedStateMachine):
    """Does to a tenant what an administrator may; what is refused must leave no trace."""

    people: Bundle[str] = Bundle("people")
    teams: Bundle[str] = Bundle("teams")
    gone: Bundle[str] = Bundle("gone")

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._tenant = Tenant(self._stack.enter_context(keeping.opened(None)))
        self._stack.callback(self._tenant.close)
        claims = {
            "aud": "https://graph.microsoft.com",
            "appid": APPLY_APP.client_id,
            "oid": APPLY_APP.principal_id,
            "roles": list(PERMISSIONS),
            "exp": time.time() + 3600,
        }
        self._token = tokens.sign(claims, self._tenant.key)
        self._link: str | None = None
        self._known: dict[str, str] = {}

    def teardown(self) -> None:
        """Let the tenant go."""
        self._stack.close()

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Ask Graph; whatever is asked, it never breaks."""
        target, _, query = path.partition("?")
        headers = {"authorization": f"Bearer {self._token}", "host": "localhost"}
        reply = self._tenant.answer(
            Incoming(method, f"/v1.0/{target}", query, headers, orjson.loads(orjson.dumps(body)))
        )
        assert reply.status < BROKEN, (method, path, body, reply)
        content = reply.body
        return reply.status, orjson.loads(content) if isinstance(content, bytes) else content

    def items(self, path: str) -> list[dict[str, Any]]:
        """Give all items of a collection, from all its pages."""
        found: list[dict[str, Any]] = []
        while True:
            _, page = self.ask("GET", path)
            found += page["value"]
            if "@odata.nextLink" not in page:
                return found
            path = page["@odata.nextLink"].partition("/v1.0/")[2]

    # --- what people do

    @initialize()
    def rule_the_tenant(self) -> None:
        """Let the application reach everybody."""
        status, _ = self.ask(
            "POST",
            "roleManagement/directory/roleAssignments",
            {
                "roleDefinitionId": PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
                "principalId": APPLY_APP.principal_id,
                "directoryScopeId": "/",
            },
        )
        assert status in {CREATED, WRONG}

    @rule(target=people, name=names, located=st.booleans())
    def join(self, name: str, located: bool) -> Any:  # noqa: ANN401, FBT001 -- of a strategy
        """Create an account, unless somebody has the name."""
        upn = f"{name}@contoso.com"
        taken = upn.lower() in {user["userPrincipalName"].lower() for user in self.users()}
        body = {
            "accountEnabled": True,
            "displayName": name,
            "mailNickname": name,
            "userPrincipalName": upn,
            "passwordProfile": {"password": "Correct-Horse-9"},
        }
        status, user = self.ask(
            "POST", "users", body | ({"usageLocation": "GB"} if located else {})
        )
        assert status == (WRONG if taken else CREATED)
        return multiple() if taken else user["id"]

    @rule(user=people, name=names)
    def rename(self, user: str, name: str) -> None:
        """Give an account another name, which may be taken."""
        self.ask("PATCH", f"users/{user}", {"userPrincipalName": f"{name}@contoso.com"})

    @rule(target=gone, user=consumes(people))
    def leave(self, user: str) -> str:
        """Delete an account."""
        assert self.ask("DELETE", f"users/{user}")[0] == DONE
        return user

    @rule(target=people, user=consumes(gone), name=st.none() | names)
    def come_back(self, user: str, name: str | None) -> Any:  # noqa: ANN401 -- a bundle's value
        """Restore an account: only a name that is taken stands in the way."""
        _, deleted = self.ask("GET", f"directory/deletedItems/{user}")
        upn = f"{name}@contoso.com" if name else deleted["userPrincipalName"][32:]
        taken = upn.lower() in {each["userPrincipalName"].lower() for each in self.users()}
        body = {"newUserPrincipalName": upn} if name else None
        status, _ = self.ask("POST", f"directory/deletedItems/{user}/restore", body)
        assert status == (WRONG if taken else OK)
        if taken:
            # It is still there, and comes back under a name that nobody has.
            body = {"newUserPrincipalName": f"again.{user}@contoso.com"}
            status, _ = self.ask("POST", f"directory/deletedItems/{user}/restore", body)
            assert status == OK
        return user

    @rule(user=consumes(gone))
    def purge(self, user: str) -> None:
        """Delete an account for good."""
        assert self.ask("DELETE", f"directory/deletedItems/{user}")[0] == DONE
        assert self.ask("POST", f"directory/deletedItems/{user}/restore")[0] == UNKNOWN

    @rule(user=people, add=st.lists(skus, max_size=2), remove=st.lists(skus, max_size=2))
    def license(self, user: str, add: list[str], remove: list[str]) -> None:
        """Assign and remove licenses: all of it, or nothing."""
        before = self.ask("GET", f"users/{user}?$select=assignedLicenses")[1]
        body = {"addLicenses": [{"skuId": sku} for sku in add], "removeLicenses": remove}
        status, _ = self.ask("POST", f"users/{user}/assignLicense", body)
        after = self.ask("GET", f"users/{user}?$select=assignedLicenses")[1]
        assert status in {OK, WRONG}
        assert status == OK or before["assignedLicenses"] == after["assignedLicenses"]

    @rule(user=people)
    def locate(self, user: str) -> None:
        """Say where somebody works."""
        assert self.ask("PATCH", f"users/{user}", {"usageLocation": "DE"})[0] == DONE

    @rule(user=people, manager=people)
    def manage(self, user: str, manager: str) -> None:
        """Name a manager."""
        self.ask("PUT", f"users/{user}/manager/$ref", {"@odata.id": self.address(manager)})

    @rule(target=teams, name=names, licensed=st.booleans())
    def found(self, name: str, licensed: bool) -> Any:  # noqa: ANN401, FBT001 -- as above
        """Create a group, which may carry a license with few seats."""
        body = {
            "displayName": name,
            "mailNickname": name,
            "mailEnabled": False,
            "securityEnabled": True,
        }
        status, group = self.ask("POST", "groups", body)
        assert status == CREATED
        if licensed:
            body = {"addLicenses": [{"skuId": ID_OF["POWER_BI_PRO"]}], "removeLicenses": []}
            self.ask("POST", f"groups/{group['id']}/assignLicense", body)
        return group["id"]

    @rule(group=consumes(teams))
    def dissolve(self, group: str) -> None:
        """Delete a group, which must not carry a license then."""
        _, shown = self.ask("GET", f"groups/{group}?$select=assignedLicenses")
        carried = [license_["skuId"] for license_ in shown["assignedLicenses"]]
        if carried:
            assert self.ask("DELETE", f"groups/{group}")[0] == WRONG
            body = {"addLicenses": [], "removeLicenses": carried}
            assert self.ask("POST", f"groups/{group}/assignLicense", body)[0] == ACCEPTED
        assert self.ask("DELETE", f"groups/{group}")[0] == DONE

    @rule(group=teams, members=some(people | teams))
    def bind(self, group: str, members: list[str]) -> None:
        """Add members together: all of them, or none."""
        before = {each["id"] for each in self.items(f"groups/{group}/members?$select=id")}
        body = {"members@odata.bind": [self.address(member) for member in members]}
        status, _ = self.ask("PATCH", f"groups/{group}", body)
        after = {each["id"] for each in self.items(f"groups/{group}/members?$select=id")}
        assert after == (before | set(members) if status == DONE else before)

    @rule(group=teams, member=people)
    def part(self, group: str, member: str) -> None:
        """Take a member out."""
        held = member in {each["id"] for each in self.items(f"groups/{group}/members?$select=id")}
        status, _ = self.ask("DELETE", f"groups/{group}/members/{member}/$ref")
        assert status == (DONE if held else UNKNOWN)

    @rule(user=people, role=st.sampled_from(ROLES))
    def promote(self, user: str, role: str) -> None:
        """Assign a role, which one can hold once."""
        body = {"roleDefinitionId": role, "principalId": user, "directoryScopeId": "/"}
        status, _ = self.ask("POST", "roleManagement/directory/roleAssignments", body)
        assert status in {CREATED, WRONG}

    @staticmethod
    def address(key: str) -> str:
        """Give what refers to an object."""
        return f"https://graph.microsoft.com/v1.0/directoryObjects/{key}"

    # --- what holds whatever they do

    def users(self) -> list[dict[str, Any]]:
        """Give everybody, as a list shows them."""
        return self.items("users?$top=7")

    @invariant()
    def a_seat_is_used_by_each_holder(self) -> None:
        """Consumed seats are the living users who hold the SKU, in whatever way."""
        holders: dict[str, int] = {}
        for user in self.items("users?$select=id,assignedLicenses&$top=999"):
            for sku in user["assignedLicenses"]:
                holders[sku["skuId"]] = holders.get(sku["skuId"], 0) + 1
        for sku in self.items("subscribedSkus"):
            assert sku["consumedUnits"] == holders.get(sku["skuId"], 0)

    @invariant()
    def a_membership_has_both_ends(self) -> None:
        """Whoever a group shows as its member shows the group, and lives."""
        alive = {user["id"] for user in self.items("users?$select=id&$top=999")}
        groups = {group["id"] for group in self.items("groups?$select=id&$top=999")}
        pairs = {
            (group, member["id"])
            for group in groups
            for member in self.items(f"groups/{group}/members?$select=id&$top=999")
        }
        assert {member for _, member in pairs} <= alive | groups
        for user in alive:
            above = {group["id"] for group in self.items(f"users/{user}/memberOf?$select=id")}
            above &= groups
            assert above == {group for group, member in pairs if member == user}

    @invariant()
    def a_name_is_one_persons(self) -> None:
        """No two accounts have the same UPN, in whatever capitals."""
        upns = [user["userPrincipalName"].lower() for user in self.users()]
        assert len(set(upns)) == len(upns)

    @invariant()
    def what_is_deleted_can_be_read(self) -> None:
        """Everybody in the recycle bin can be read there, and nowhere else."""
        alive = {user["id"] for user in self.users()}
        for user in self.items("directory/deletedItems/microsoft.graph.user"):
            assert user["id"] not in alive
            assert self.ask("GET", f"directory/deletedItems/{user['id']}")[0] == OK
            assert self.ask("GET", f"users/{user['id']}")[0] == UNKNOWN

    @invariant()
    def lists_show_what_reads_show(self) -> None:
        """Show in lists, whose items are kept ready, what reading each user shows."""
        for user in self.users():
            _, read = self.ask("GET", f"users/{user['id']}")
            assert user == {name: value for name, value in read.items() if name[0] != "@"}

    @invariant()
    def who_follows_changes_knows_everybody(self) -> None:
        """Whoever only asks what has changed ends up with the list of all."""
        path = self._link or "users/delta?$select=userPrincipalName"
        while True:
            _, page = self.ask("GET", path)
            for item in page["value"]:
                if "@removed" in item:
                    self._known.pop(item["id"], None)
                else:
                    self._known[item["id"]] = item["userPrincipalName"]
            link = page.get("@odata.nextLink") or page["@odata.deltaLink"]
            path = link.partition("/v1.0/")[2]
            if "@odata.deltaLink" in page:
                self._link = path
                break
        assert self._known == {user["id"]: user["userPrincipalName"] for user in self.users()}

    @invariant()
    def a_role_has_a_holder(self) -> None:
        """Every role assignment that is shown is of somebody who is there."""
        ids = {
            item["principalId"] for item in self.items("roleManagement/directory/roleAssignments")
        }
        body = {"ids": sorted(ids)}
        _, found = self.ask("POST", "directoryObjects/getByIds", body)
        assert {item["id"] for item in found["value"]} >= ids - {APPLY_APP.principal_id}


TestTenant = TenantMachine.TestCase
TestTenant.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
