from __future__ import annotations

import json
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from reconciler.commands.sandbox import group
from reconciler.commands.schema import command as schema_command
from reconciler.errors import InputError, UsageError
from reconciler.sandbox.company import written
from reconciler.sandbox.company.contoso import ADMIN_APP, APPLY_APP, PLAN_APP
from reconciler.sandbox.company.roledata import BUILT_IN
from reconciler.sandbox.data import keeping
from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
EXTENSION = "extension_6f2b1a0c9d8e4f7ab3c5d1e2f4a6b8c0_cohort"
SAME = "11111111-1111-4111-8111-111111111111"
DOMAINS = "SELECT document FROM resource WHERE kind = 'domain' ORDER BY rowid"
HEAD = """\
version: 1
company: {displayName: Fabrikam}
domains: [fabrikam.onmicrosoft.com, fabrikam.example]
"""
SKUS_APART = "skus: [{skuPartNumber: SPE_E3, seats: 9}, {skuPartNumber: SPE_F1, seats: 9}]\n"
WHOLE = f"""\
version: 1
company:
  displayName: Fabrikam
  tenantId: 7B1F6A52-0C3D-4E8F-9A1B-2C3D4E5F6071
  country: DE
  defaultUsageLocation: DE
domains:
  - fabrikam.onmicrosoft.com
  - {{name: fabrikam.example, isDefault: true}}
  - {{name: later.example, isVerified: false}}
skus:
  - {{skuPartNumber: SPE_E5, seats: 3}}
  - {{skuPartNumber: POWER_BI_PRO, seats: 1, status: Warning}}
  - skuPartNumber: FABRIKAM
    skuId: 0a1b2c3d-0000-4000-8000-000000000001
    seats: 5
    appliesTo: Company
    servicePlans:
      - {{servicePlanName: OWN, servicePlanId: 0a1b2c3d-0000-4000-8000-000000000002}}
extensions: [{EXTENSION}]
people:
  - userPrincipalName: ada@fabrikam.example
    id: 11111111-2222-4333-8444-555555555555
    givenName: Ada
    surname: Lovelace
    usageLocation: NO
    employeeId: 007
    password: Correct-Horse-9
    licenses: [SPE_E5]
    roles: [User Administrator]
    onPremisesExtensionAttributes: {{extensionAttribute15: fabrikam/research}}
    {EXTENSION}: research
    otherMails: [ada@elsewhere.example]
  - userPrincipalName: ben@fabrikam.example
    manager: ADA@fabrikam.example
    usageLocation: DE
    accountEnabled: false
    synced: true
    licenses: [SPE_E5]
  - userPrincipalName: cem@fabrikam.example
    displayName: "Cem"
    department: null
    deleted: true
    licenses: [SPE_E5, SPE_E5]
  - {{userPrincipalName: dee@fabrikam.example, guest: true, displayName: Dee}}
groups:
  - displayName: Research
    uniqueName: research
    members: [ada@fabrikam.example, cem@fabrikam.example, dee@fabrikam.example, Inner]
    owners: [ben@fabrikam.example, Terraform]
    licenses: [POWER_BI_PRO]
  - displayName: Inner
    id: 11111111-2222-4333-8444-66666666666A
    kind: microsoft365
    mailNickname: in
    members: [ada@fabrikam.example]
  - {{displayName: Research, kind: roleAssignable, roles: [Helpdesk Administrator]}}
  - displayName: 研究
    kind: dynamic
    membershipRule: (user.department -eq "Research")
applications:
  - displayName: Terraform
    permissions: [User.Read.All, Policy.Read.All]
    directoryRoles: [Groups Administrator]
    secret: a-secret-for-tests
    federatedIdentityCredentials:
      - name: github
        issuer: https://token.actions.githubusercontent.com
        subject: repo:fabrikam/identity:environment:apply
        jwks: {{keys: [{{kty: RSA, n: "AQAB", level: 1.5, size: 2048, is: true, use: no}}]}}
      - {{name: own, issuer: "http://127.0.0.1", subject: x, audiences: [y]}}
    certificate: "-----BEGIN CERTIFICATE-----"
  - {{displayName: The reader, clientId: {PLAN_APP.client_id}, secret: known-to-tests}}
administrativeUnits:
  - {{displayName: Munich, description: The office, members: [ada@fabrikam.example, research]}}
policies:
  temporaryAccessPass: {{isUsableOnce: true, maximumLifetimeInMinutes: 90}}
  roles:
    User Administrator:
      Expiration_Admin_Eligibility: {{isExpirationRequired: true}}
"""


@pytest.fixture
def seed(tmp_path: Path) -> Callable[[str], Path]:
    """Write a seed file."""

    def wrote(text: str) -> Path:
        path = tmp_path / "company.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return wrote


def _user(graph: httpx.Client, name: str, select: str = "") -> dict[str, Any]:
    query = f"?$select={select}" if select else ""
    return dict(graph.get(f"/users/{name}@fabrikam.example{query}").json())


def test_a_company_of_ones_own_is_served(start: Any, seed: Callable[[str], Path]) -> None:  # noqa: ANN401 -- a fixture
    """Company, domains and people are those of the file, with ids that it gives."""
    graph = start(seed=seed(WHOLE))
    (organization,) = graph.get("/organization").json()["value"]
    assert organization["id"] == "7b1f6a52-0c3d-4e8f-9a1b-2c3d4e5f6071"
    assert organization["displayName"] == "Fabrikam"
    assert (organization["countryLetterCode"], organization["defaultUsageLocation"]) == ("DE", "DE")
    domains = graph.get("/domains").json()["value"]
    assert [(d["id"], d["isVerified"], d["isDefault"]) for d in domains] == [
        ("fabrikam.onmicrosoft.com", True, False),
        ("fabrikam.example", True, True),
        ("later.example", False, False),
    ]
    names = f"id,displayName,usageLocation,employeeId,otherMails,{EXTENSION}"
    ada = _user(graph, "ada", names)
    del ada["@odata.context"]
    assert ada == {
        "id": "11111111-2222-4333-8444-555555555555",
        "displayName": "Ada Lovelace",
        "usageLocation": "NO",
        "employeeId": "007",
        "otherMails": ["ada@elsewhere.example"],
        EXTENSION: "research",
    }
    ben = _user(graph, "ben", "accountEnabled,displayName,onPremisesSyncEnabled,department")
    assert (ben["accountEnabled"], ben["displayName"]) == (False, "ben")
    assert (ben["onPremisesSyncEnabled"], ben["department"]) == (True, None)
    assert graph.get("/users/ben@fabrikam.example/manager").json()["displayName"] == "Ada Lovelace"
    assert _user(graph, "dee", "userType")["userType"] == "Guest"
    (gone,) = graph.get("/directory/deletedItems/microsoft.graph.user").json()["value"]
    assert gone["displayName"] == "Cem"


def test_licenses_groups_and_roles_are_held(start: Any, seed: Callable[[str], Path]) -> None:  # noqa: ANN401 -- a fixture
    """What the file says that people hold is held, and takes seats."""
    graph = start(seed=seed(WHOLE))
    skus = graph.get("/subscribedSkus").json()["value"]
    assert [(sku["skuPartNumber"], sku["consumedUnits"]) for sku in skus] == [
        ("SPE_E5", 2),
        ("POWER_BI_PRO", 1),
        ("FABRIKAM", 0),
    ]
    assert skus[1]["prepaidUnits"]["warning"] == 1
    assert skus[2]["servicePlans"][0]["servicePlanName"] == "OWN"
    (state,) = _user(graph, "dee", "licenseAssignmentStates")["licenseAssignmentStates"]
    assert (state["state"], state["error"]) == ("Error", "CountViolation")
    groups = {g["mailNickname"]: g for g in graph.get("/groups").json()["value"]}
    assert set(groups) == {"research", "in", "group"}
    research = graph.get("/groups?$filter=uniqueName eq 'research'").json()["value"][0]
    members = graph.get(f"/groups/{research['id']}/members").json()["value"]
    assert {m["displayName"] for m in members} == {"Ada Lovelace", "Dee", "Inner"}
    roles = graph.get("/roleManagement/directory/roleAssignments").json()["value"]
    names = {key: name for name, key in BUILT_IN.items()}
    assert sorted(names[role["roleDefinitionId"]] for role in roles) == [
        "Groups Administrator",
        "Helpdesk Administrator",
        "Privileged Authentication Administrator",
        "User Administrator",
    ]


def _token(environment: Any, **form: str) -> httpx.Response:  # noqa: ANN401 -- a mapping
    trusted = ssl.create_default_context(cafile=environment["SSL_CERT_FILE"])
    address = f"{environment['AZURE_AUTHORITY_HOST']}/{environment['AZURE_TENANT_ID']}"
    usual = {"scope": "https://graph.microsoft.com/.default"}
    with httpx.Client(verify=trusted) as client:
        return client.post(f"{address}/oauth2/v2.0/token", data=usual | form)


def test_applications_and_people_sign_in(seed: Callable[[str], Path], certificates: Path) -> None:
    """Secrets of the file are good, also that of a built-in application; so is a password."""
    with running(seed=seed(WHOLE), folder=certificates) as endpoints:
        assert endpoints.administration["AZURE_CLIENT_ID"] == ADMIN_APP.client_id
        reader = endpoints.read_only_environment
        assert reader["AZURE_CLIENT_SECRET"] == "known-to-tests"  # noqa: S105 -- of this file
        client, secret = reader["AZURE_CLIENT_ID"], reader["AZURE_CLIENT_SECRET"]
        credentials = {"client_id": client, "client_secret": secret}
        assert _token(reader, grant_type="client_credentials", **credentials).status_code == 200
        signed_in = _token(
            reader,
            grant_type="password",
            username="ada@fabrikam.example",
            password="Correct-Horse-9",  # noqa: S106 -- of this file
            **credentials,
        )
        assert signed_in.status_code == 200, signed_in.text


def test_what_other_areas_read_is_kept(tmp_path: Path, seed: Callable[[str], Path]) -> None:
    """Credentials, units and policies are kept in the words that their areas read."""
    with keeping.opened(tmp_path / "x.sqlite", seed(WHOLE)) as db:
        rows = db.execute("SELECT kind, id, document FROM resource").fetchall()
    kept = {(kind, key): json.loads(text) for kind, key, text in rows}
    (app,) = (d for (kind, _), d in kept.items() if d.get("displayName") == "Terraform")
    github, own = app["federatedIdentityCredentials"]
    assert github["audiences"] == ["api://AzureADTokenExchange"]
    (key,) = github["jwks"]["keys"]
    assert (key["level"], key["size"], key["is"], key["use"]) == (1.5, 2048, True, "no")
    assert own == {"name": "own", "issuer": "http://127.0.0.1", "subject": "x", "audiences": ["y"]}
    assert app["certificate"].startswith("-----BEGIN")
    assert kept["application", PLAN_APP.client_id]["displayName"] == "The reader"
    assert kept["application", APPLY_APP.client_id]["displayName"] == "Fabrikam identity (apply)"
    assert kept["application", ADMIN_APP.client_id]["displayName"] == "Fabrikam administration"
    policy = kept["authenticationMethodConfiguration", "TemporaryAccessPass"]
    assert (policy["isUsableOnce"], policy["maximumLifetimeInMinutes"]) == (True, 90)
    assert policy["state"] == "enabled"
    rules = kept["roleManagementPolicy", BUILT_IN["User Administrator"]]["rules"]
    assert rules["Expiration_Admin_Eligibility"] == {
        "isExpirationRequired": True,
        "maximumDuration": "P365D",
    }


def test_a_file_without_an_initial_domain_gets_one(
    tmp_path: Path, seed: Callable[[str], Path]
) -> None:
    """Every tenant has a domain of Microsoft's; it is the default only where it is alone."""
    text = "version: 1\ncompany: {displayName: Été & Co}\ndomains: [ete.example]\n"
    with keeping.opened(tmp_path / "x.sqlite", seed(text)) as db:
        rows = db.execute(DOMAINS).fetchall()
    found = [json.loads(text) for (text,) in rows]
    assert [(d["id"], d["isInitial"], d["isDefault"]) for d in found] == [
        ("eteco.onmicrosoft.com", True, False),
        ("ete.example", False, True),
    ]
    alone = text.replace("ete.example", "x.onmicrosoft.com")
    with keeping.opened(tmp_path / "y.sqlite", seed(alone)) as db:
        (row,) = db.execute(DOMAINS).fetchall()
    assert json.loads(row[0])["isDefault"] is True


def test_the_same_file_gives_the_same_ids(tmp_path: Path, seed: Callable[[str], Path]) -> None:
    """Two tenants of one file have the same objects, but secrets of their own."""
    ids, secrets = [], []
    for name in ("one", "two"):
        with keeping.opened(tmp_path / f"{name}.sqlite", seed(WHOLE)) as db:
            ids.append(db.execute('SELECT id FROM user UNION SELECT id FROM "group"').fetchall())
            secrets.append(
                db.execute(
                    "SELECT document FROM resource WHERE id = ?", (APPLY_APP.client_id,)
                ).fetchone()
            )
    assert ids[0] == ids[1]
    assert secrets[0] != secrets[1]


def test_a_tenant_keeps_its_company(tmp_path: Path, seed: Callable[[str], Path]) -> None:
    """The same file again is fine, a comment makes no other, and another company is refused."""
    file, path = tmp_path / "x.sqlite", seed(HEAD)
    for text in (HEAD, f"# once more\n{HEAD}"):
        with keeping.opened(file, seed(text)):
            pass
    with pytest.raises(UsageError) as caught, keeping.opened(file, seed(WHOLE)):
        pass
    assert str(caught.value) == f"{file} has another company than {path} tells of"
    assert caught.value.hint == (
        f"run `reconciler sandbox reset --file {file} --seed {path}`, or name another file"
    )
    with keeping.opened(file):
        pass
    result = CliRunner().invoke(group, ["reset", "--file", str(file), "--seed", str(path)])
    assert result.exit_code == 0
    with keeping.opened(file, path):
        pass


def test_a_wrong_file_leaves_the_tenant_alone(tmp_path: Path, seed: Callable[[str], Path]) -> None:
    """Neither a reset nor a first start with a faulty file touches or makes anything."""
    file = tmp_path / "x.sqlite"
    with keeping.opened(file):
        pass
    before = file.read_bytes()
    with pytest.raises(InputError):
        keeping.reset(file, seed("version: 2"))
    with pytest.raises(InputError), keeping.opened(tmp_path / "new.sqlite", seed("version: 2")):
        pass
    assert file.read_bytes() == before
    assert not (tmp_path / "new.sqlite").exists()


def _person(**more: str) -> str:
    rows = "".join(f"\n    {key}: {value}" for key, value in more.items())
    return f"people:\n  - userPrincipalName: ada@fabrikam.example{rows}\n"


UNPRINTABLE = '"Correct-Horse-9\\x1b"'
PEOPLE_OF_ONE_ADDRESS = f"""{HEAD}people:
  - {{userPrincipalName: ada@fabrikam.example, mail: a@fabrikam.example}}
  - userPrincipalName: ben@fabrikam.example
    proxyAddresses: ['smtp:A@fabrikam.example']
"""

CASES = {
    "two people of one address": (
        PEOPLE_OF_ONE_ADDRESS,
        "6:5: error: the address 'a@fabrikam.example' is somebody else's already\n  hint: give",
    ),
    "a group of one's address": (
        (
            f"{HEAD}people: [{{userPrincipalName: ada@fabrikam.example, mail: x@fabrikam.example}}"
            "]\ngroups: [{displayName: X, kind: microsoft365}]"
        ),
        "5:10: error: the address 'x@fabrikam.example' is somebody else's already",
    ),
    "unprintable secret": (
        f'{HEAD}applications: [{{displayName: x, secret: "12345678\\ntouch pwned"}}]',
        "4:41: error: secret must be of characters that can be printed",
    ),
    "unprintable end": (
        f'{HEAD}applications: [{{displayName: x, secret: "12345678\\n"}}]',
        "error: secret must be of characters that can be printed",
    ),
    "unprintable password": (
        f"{HEAD}{_person(password=UNPRINTABLE)}",
        "error: password must be of characters that can be printed",
    ),
    "secret for an id": (
        f"{HEAD}applications: [{{displayName: x, clientId: s3cr3t}}]",
        "error: clientId must be a GUID",
    ),
    "long text": (f"{HEAD}extensions: [{'x' * 50}]", f"extensions '{'x' * 40}…' must be"),
    "nothing": ("", "1:1: error: the file is empty\n  hint: see docs/sandbox.md for an example"),
    "empty": ("~", "1:1: error: the file must be a mapping of keys to values, not empty"),
    "version": (HEAD.replace("1", "2", 1), "1:10: error: version must be 1"),
    "missing": ("version: 1", "1:1: error: 'company' is missing"),
    "missing inside": (f"{HEAD}groups: [{{kind: dynamic}}]", "'displayName' is missing in item 1"),
    "key": (f"{HEAD}persons: []", "4:1: error: unknown key 'persons'"),
    "known keys": (f"{HEAD}zzz: []", "hint: known here: administrativeUnits, applications,"),
    "near key": (f"{HEAD}{_person(jobTitel='x')}", "hint: did you mean 'jobTitle'?"),
    "type": (f"{HEAD}people: 5", "4:9: error: people must be a list, not text"),
    "flag": (f"{HEAD}{_person(deleted='yes')}", "deleted must be true or false, not text"),
    "list": (f"{HEAD}{_person(displayName='[x]')}", "displayName must be text, not a list"),
    "mapping": (f"{HEAD}{_person(displayName='{x: y}')}", "not a mapping of keys to values"),
    "choice": (
        f"{HEAD}groups: [{{displayName: x, kind: dinamic}}]",
        (
            "kind is not one of security, microsoft365, dynamic, synced, distribution, "
            "mailSecurity, roleAssignable\n  hint: did you mean 'dynamic'?"
        ),
    ),
    "choice of another type": (f"{HEAD}groups: [{{displayName: x, kind: []}}]", "kind is not one"),
    "pattern": (
        f"{HEAD}extensions: [x]",
        "4:14: error: item 1 of extensions 'x' must be extension_<32 hexadecimal digits>_<name>",
    ),
    "seats": (f"{HEAD}skus: [{{skuPartNumber: SPE_E5, seats: -1}}]", "seats must be at least 0"),
    "length": (f"{HEAD}{_person(city='x' * 129)}", "city must have at most 128 characters"),
    "no yaml": ("a: [", "error: this is no YAML: "),
    "control": ("a: \x07", "1:1: error: the file holds U+0007, which YAML does not allow"),
    "tag": (
        f"{HEAD}people: !!set {{}}",
        "4:9: error: tag 'tag:yaml.org,2002:set' is not supported",
    ),
    "ring": (f"{HEAD}people: &a [*a]", "4:9: error: an anchor cannot hold itself"),
    "twice": (f"{HEAD}version: 1", "4:1: error: key 'version' is given twice"),
    "no text": (f"{HEAD}? [a]\n: 1", "4:3: error: a key is not text"),
    "domain": (
        f"{HEAD}people: [{{userPrincipalName: ada@fabrikan.example}}]",
        (
            "4:30: error: 'ada@fabrikan.example' lives in a domain that is not there\n"
            "  hint: did you mean 'fabrikam.example'?"
        ),
    ),
    "unverified": (
        HEAD.replace("fabrikam.example]", "{name: a.example, isVerified: false}]")
        + "people: [{userPrincipalName: ada@a.example}]",
        "the domain of 'ada@a.example' is not verified",
    ),
    "two people": (
        f"{HEAD}{_person()}  - userPrincipalName: ADA@fabrikam.example",
        "6:24: error: there are two people called 'ADA@fabrikam.example'\n  hint: rename one",
    ),
    "two domains": (
        HEAD.replace("fabrikam.example", "Fabrikam.onmicrosoft.com"),
        "3:37: error: there are two domains called 'Fabrikam.onmicrosoft.com'",
    ),
    "two extensions": (f"{HEAD}extensions: [{EXTENSION}, {EXTENSION}]", "are two extensions"),
    "two of one id": (
        f"{HEAD}groups: [{{displayName: x, id: {SAME}}}]\n{_person(id=SAME)}",
        "there are two objects called '11111111-",
    ),
    "country": (f"{HEAD}{_person(usageLocation='UK')}", "'UK' is not an ISO 3166-1 alpha-2 code"),
    "crowd's country": (f"{HEAD}generate: [{{count: 1, countries: [XX]}}]", "'XX' is not an ISO"),
    "manager": (
        f"{HEAD}{_person(manager='bob@fabrikam.example')}",
        "6:14: error: the manager 'bob@fabrikam.example' is not there",
    ),
    "own manager": (f"{HEAD}{_person(manager='ada@fabrikam.example')}", "cannot be their own"),
    "ring of managers": (
        (
            f"{HEAD}people:\n"
            "  - {userPrincipalName: eve@fabrikam.example, manager: ada@fabrikam.example}\n"
            "  - {userPrincipalName: ada@fabrikam.example, manager: ben@fabrikam.example}\n"
            "  - {userPrincipalName: ben@fabrikam.example, manager: ada@fabrikam.example}"
        ),
        (
            "6:56: error: the managers of 'ada@fabrikam.example' lead back there: "
            "ben@fabrikam.example, ada@fabrikam.example\n"
            "  hint: give one of them another manager, or none"
        ),
    ),
    "upn": (
        f"{HEAD}people: [{{userPrincipalName: zoë@fabrikam.example}}]",
        "4:30: error: 'zoë@fabrikam.example' is no UPN that Entra takes\n  hint: up to 64 of A-Z",
    ),
    "crowd's characters": (
        f"{HEAD}generate: [{{count: 2, userPrincipalName: 'a({{n}})@{{domain}}'}}]",
        "'a(1)@a' is no UPN that Entra takes",
    ),
    "plans of a person": (
        f"{HEAD}{SKUS_APART}{_person(licenses='[SPE_E3, SPE_F1]')}",
        (
            "7:15: error: nobody can hold SPE_E3, SPE_F1 together\n"
            "  hint: give each person one of them, directly and through groups together"
        ),
    ),
    "plans of a group": (
        f"{HEAD}{SKUS_APART}groups: [{{displayName: x, licenses: [SPE_E3, SPE_F1]}}]",
        "nobody can hold SPE_E3, SPE_F1 together",
    ),
    "plans through a group": (
        (
            f"{HEAD}{SKUS_APART}{_person(licenses='[SPE_E3]')}groups:\n"
            "  - {displayName: x, licenses: [SPE_F1], members: [ada@fabrikam.example]}"
        ),
        "7:15: error: nobody can hold SPE_E3, SPE_F1 together",
    ),
    "plans of a crowd": (
        f"{HEAD}{SKUS_APART}generate: [{{count: 9, licenses: {{SPE_E3: 50, SPE_F1: 50}}}}]",
        "nobody can hold SPE_E3, SPE_F1 together",
    ),
    "extension": (f"{HEAD}{_person(**{EXTENSION: 'x'})}", "is not registered"),
    "sku": (f"{HEAD}skus: [{{skuPartNumber: SPE_E55, seats: 1}}]", "did you mean 'SPE_E5'?"),
    "unknown sku": (
        f"{HEAD}skus: [{{skuPartNumber: ZZZZ, seats: 1}}]",
        "the SKU 'ZZZZ' is not known\n  hint: describe it: give its skuId and servicePlans",
    ),
    "two skus": (
        f"{HEAD}skus: [{{skuPartNumber: SPE_E5, seats: 1}}, {{skuPartNumber: SPE_E5, seats: 1}}]",
        "there are two SKUs called 'SPE_E5'",
    ),
    "no such license": (
        f"{HEAD}{_person(licenses='[SPE_E5]')}",
        "6:16: error: the company has no SKU 'SPE_E5'\n  hint: add it to skus",
    ),
    "not for people": (
        (
            f"{HEAD}skus: [{{skuPartNumber: WINDOWS_STORE, seats: 1}}]\n"
            f"{_person(licenses='[WINDOWS_STORE]')}"
        ),
        "the SKU 'WINDOWS_STORE' is not for people",
    ),
    "too many licenses": (
        f"{HEAD}skus: [{{skuPartNumber: SPE_E5, seats: 0}}]\n{_person(licenses='[SPE_E5]')}",
        "4:39: error: 1 license of SPE_E5 for 0 seats\n  hint: write seats: 1 or more",
    ),
    "member": (
        f"{HEAD}groups: [{{displayName: x, members: [y@fabrikam.example]}}]",
        "4:37: error: 'y@fabrikam.example' is not there",
    ),
    "unique name": (
        f"{HEAD}groups: [{{displayName: x, uniqueName: u}}, {{displayName: y, uniqueName: U}}]",
        "there are two unique names of groups called 'U'",
    ),
    "roles of a group": (
        f"{HEAD}groups: [{{displayName: x, roles: [Global Reader]}}]",
        "only a role-assignable group holds roles\n  hint: add kind: roleAssignable",
    ),
    "role": (f"{HEAD}{_person(roles='[Global Admin]')}", "there is no role 'Global Admin'"),
    "rule": (
        f"{HEAD}policies: {{roles: {{Global Reader: {{Expiration_Admin: {{}}}}}}}}",
        "there is no rule 'Expiration_Admin'",
    ),
    "password": (f"{HEAD}{_person(password='password')}", "is weaker than Entra takes"),  # noqa: S106 -- not good enough
    "two applications": (
        f"{HEAD}applications: [{{displayName: x}}, {{displayName: x}}]",
        "there are two applications called",
    ),
    "pattern of names": (
        f"{HEAD}generate: [{{count: 2, displayName: '{{name}}'}}]",
        "displayName is no pattern\n  hint: known here: {given}, {family}, {n}, {department}",
    ),
    "one name": (
        f"{HEAD}generate: [{{count: 2, groups: [{{displayName: x, count: 2}}]}}]",
        "2 groups cannot have one name\n  hint: put {n} into it",
    ),
    "crowd's domain": (
        f"{HEAD}generate: [{{count: 2, domains: [x.example]}}]",
        "'anybody@x.example' lives in a domain that is not there",
    ),
    "domain in a pattern": (
        f"{HEAD}generate: [{{count: 2, userPrincipalName: 'a{{n}}@x.example'}}]",
        "'a{n}@x.example' lives in a domain that is not there",
    ),
    "crowd's licenses": (
        (
            f"{HEAD}skus: [{{skuPartNumber: SPE_E5, seats: 4}}]\n"
            "generate: [{count: 10, licenses: {SPE_E5: 50}}]"
        ),
        "5 licenses of SPE_E5 for 4 seats",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_told_with_its_place(name: str, seed: Callable[[str], Path]) -> None:
    """Each mistake is told in one sentence, where it stands, with what to do where that helps."""
    text, told = CASES[name]
    path = seed(text)
    with pytest.raises(InputError) as caught, keeping.opened(None, path):
        pass
    found = "\n".join(map(str, caught.value.diagnostics))
    assert told in found
    assert all(line.startswith((f"{path}:", "  hint: ")) for line in found.splitlines())


def test_no_password_is_quoted(seed: Callable[[str], Path]) -> None:
    """A password that is refused is not shown."""
    path = seed(f"{HEAD}{_person(password='Tr0ub4')}")  # noqa: S106 -- of this test
    with pytest.raises(InputError) as caught, keeping.opened(None, path):
        pass
    assert "Tr0ub4" not in str(caught.value.diagnostics)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """No file is a mistake of the command line; bytes that are no UTF-8 are one of the file."""
    with pytest.raises(UsageError, match=r"cannot read '.*nowhere\.yaml': no such file"):
        written.read(tmp_path / "nowhere.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(InputError, match="the file is not UTF-8"):
        written.read(tmp_path / "latin.yaml")


def test_the_schema_is_published(tmp_path: Path) -> None:
    """`reconciler schema sandbox` prints a schema, the same in a wheel; its examples are valid."""
    printed = CliRunner().invoke(schema_command, ["sandbox"]).output
    published = json.loads(printed)
    Draft202012Validator.check_schema(published)
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema" / "sandbox.schema.json").write_text(printed, encoding="utf-8")
    assert written.schema(tmp_path) == written.schema()
    for part in _parts(published):
        for example in part.get("examples", ()):
            Draft202012Validator(part).validate(example)
        for value in part.get("properties", {}).values():
            assert "description" in value


def _parts(part: Any) -> list[dict[str, Any]]:  # noqa: ANN401 -- JSON is anything
    inner = list(part.get("properties", {}).values())
    inner += [part[key] for key in ("items", "additionalProperties") if part.get(key)]
    return [part, *(deeper for each in inner for deeper in _parts(each))]


def test_the_example_on_the_page_is_valid(tmp_path: Path, seed: Callable[[str], Path]) -> None:
    """The seed file of the documentation makes a tenant."""
    (example,) = re.findall(r"```yaml\n(version: 1\n.*?)```", PAGE, re.DOTALL)
    with keeping.opened(tmp_path / "x.sqlite", seed(example)) as db:
        (people,) = db.execute("SELECT count(*) FROM user").fetchone()
    assert people > 1000


def test_nothing_of_another_company_shows(start: Any, seed: Callable[[str], Path]) -> None:  # noqa: ANN401 -- a fixture
    """Issuers, banned passwords and synced groups follow the company's own names."""
    graph = start(seed=seed(f"{HEAD}{_person()}groups: [{{displayName: Staff, kind: synced}}]"))
    (identity,) = _user(graph, "ada", "identities")["identities"]
    assert identity["issuer"] == "fabrikam.onmicrosoft.com"
    (staff,) = graph.get("/groups").json()["value"]
    assert staff["onPremisesDomainName"] == "corp.fabrikam.example"
    bob = {"displayName": "Bob", "mailNickname": "bob", "accountEnabled": True}
    bob["userPrincipalName"] = "bob@fabrikam.example"
    statuses = [
        graph.post("/users", json=bob | {"passwordProfile": {"password": password}}).status_code
        for password in ("F@brikam!1", "C0ntoso!1")
    ]
    assert statuses == [400, 201]


def test_a_refused_sign_in_names_the_company(
    seed: Callable[[str], Path], certificates: Path
) -> None:
    """AADSTS700016 tells in which directory an application was not found."""
    with running(seed=seed(HEAD), folder=certificates) as endpoints:
        form = {"grant_type": "client_credentials", "client_id": SAME, "client_secret": "x"}
        reply = _token(endpoints.administration, **form)
    assert "was not found in the directory 'Fabrikam'" in reply.json()["error_description"]
