"""The subscriptions of the company: SKUs and service plans under Microsoft's own ids.

Names and ids from Microsoft's "Product names and service plan identifiers for licensing".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

_PLANS: Final = {
    "AAD_PREMIUM": "41781fb2-bc02-4b7c-bd55-b576c07bb09d",
    "AAD_PREMIUM_P2": "eec0eb4f-6444-4f95-aba0-50c24d67f998",
    "ADALLOM_S_STANDALONE": "2e2ddb96-6af9-4b1d-a3f0-d6ecfd22edb2",
    "ATP_ENTERPRISE": "f20fedf3-f3c3-43c3-8267-2bfdd51c0939",
    "BI_AZURE_P2": "70d33638-9c74-4d01-bfd3-562de28bd4ba",
    "BPOS_S_TODO_2": "c87f142c-d1e9-4363-8630-aaea9c4d9ae5",
    "BPOS_S_TODO_3": "3fb82609-8c27-4f7b-bd51-30634711ee67",
    "BPOS_S_TODO_FIRSTLINE": "80873e7a-cd2a-4e67-b061-1b5381a676a5",
    "Deskless": "8c7d2df8-86f0-4902-b2ed-a0458298f3b3",
    "EXCHANGE_S_DESKLESS": "4a82b400-a79f-41a4-b4e2-e94f5787b113",
    "EXCHANGE_S_ENTERPRISE": "efb87545-963c-4e0d-99df-69c6916d9eb0",
    "FLOW_O365_P2": "76846ad7-7776-4c40-a281-a386362dd1b9",
    "FLOW_O365_P3": "07699545-9485-468e-95b6-2fca3738be01",
    "FORMS_PLAN_E3": "2789c901-c14e-48ab-a76a-be334d9d793a",
    "FORMS_PLAN_E5": "e212cbc7-0961-4c40-9825-01117710dcb1",
    "INTUNE_A": "c1ec4a95-1f05-45b3-a911-aa3fa01094f5",
    "MCOEV": "4828c8ec-dc2e-4779-b502-87ac9ce28ab7",
    "MCOMEETADV": "3e26ee1f-8a5f-4d52-aee2-b81ce45c8f40",
    "MCOSTANDARD": "0feaeb32-d00e-4d66-bd5a-43b5b83db82c",
    "MFA_PREMIUM": "8a256a2b-b617-496d-b51b-e76466e88db0",
    "OFFICEMOBILE_SUBSCRIPTION": "c63d4d19-e8cb-460e-b37c-4d6c34603745",
    "OFFICESUBSCRIPTION": "43de0ff5-c92c-492b-9116-175376d08c38",
    "POWERAPPS_O365_P2": "c68f8d98-5534-41c8-bf36-22fa496fa792",
    "POWERAPPS_O365_P3": "9c0dab89-a30c-4117-86e7-97bda240acd2",
    "PROJECT_CLIENT_SUBSCRIPTION": "fafd7243-e5c1-4a3a-9e40-495efcb1d3c3",
    "PROJECT_PROFESSIONAL": "818523f5-016b-4355-9be8-ed6944946ea7",
    "PROJECTWORKMANAGEMENT": "b737dad2-2f6c-4c65-90e3-ca563267e8b9",
    "RMS_S_ENTERPRISE": "bea4c11e-220a-4e6d-8eb8-8ea15d019f90",
    "RMS_S_PREMIUM": "6c57d4b6-3b23-47a5-9bc9-69f17b4947b3",
    "SHAREPOINTDESKLESS": "902b47e5-dcb2-4fdc-858b-c63a90a2bdb9",
    "SHAREPOINTENTERPRISE": "5dbe027f-2339-4123-9542-606e4d348a72",
    "SHAREPOINTWAC": "e95bec33-7c88-4a70-8e19-b10bd9d0c014",
    "STREAM_O365_E3": "9e700747-8b1d-45e5-ab8d-ef187ceec156",
    "STREAM_O365_E5": "6c6042f5-6f01-4d67-b8c1-eb99d36eed3e",
    "SWAY": "a23b959c-7ce8-4e57-9140-b90eb88a9e97",
    "TEAMS1": "57ff2da0-773e-42df-b2af-ffb7a2317929",
    "THREAT_INTELLIGENCE": "8e0c0a52-6a6c-4d40-8370-dd62790dcd70",
    "VISIO_CLIENT_SUBSCRIPTION": "663a804f-1c30-4ff0-9915-9db84f0d1cea",
    "VISIOONLINE": "2bdbaf8f-738f-4ac7-9234-3c3ee2ce7d0f",
    "WIN10_PRO_ENT_SUB": "21b439ba-a0ca-424f-a6cc-52f954a5b111",
    "WINDEFATP": "871d91ec-ec1a-452b-a83f-bd76c7d770ef",
    "WINDOWS_STORE": "a420f25f-a7b3-4ff5-a9d0-5d58f73b537d",
    "YAMMER_ENTERPRISE": "7547a3fe-08ee-4ccb-b430-5077c5041653",
}

_OFFICE: Final = (
    "EXCHANGE_S_ENTERPRISE SHAREPOINTENTERPRISE SHAREPOINTWAC TEAMS1 MCOSTANDARD "
    "OFFICESUBSCRIPTION YAMMER_ENTERPRISE SWAY PROJECTWORKMANAGEMENT Deskless INTUNE_A "
    "AAD_PREMIUM MFA_PREMIUM RMS_S_ENTERPRISE RMS_S_PREMIUM WIN10_PRO_ENT_SUB"
)
_E3: Final = f"{_OFFICE} BPOS_S_TODO_2 FLOW_O365_P2 FORMS_PLAN_E3 POWERAPPS_O365_P2 STREAM_O365_E3"
_E5: Final = (
    f"{_OFFICE} AAD_PREMIUM_P2 ADALLOM_S_STANDALONE ATP_ENTERPRISE BI_AZURE_P2 BPOS_S_TODO_3 "
    "FLOW_O365_P3 FORMS_PLAN_E5 MCOEV MCOMEETADV POWERAPPS_O365_P3 STREAM_O365_E5 "
    "THREAT_INTELLIGENCE WINDEFATP"
)

_F3: Final = (
    "AAD_PREMIUM BPOS_S_TODO_FIRSTLINE Deskless EXCHANGE_S_DESKLESS INTUNE_A MFA_PREMIUM "
    "OFFICEMOBILE_SUBSCRIPTION PROJECTWORKMANAGEMENT RMS_S_ENTERPRISE RMS_S_PREMIUM "
    "SHAREPOINTDESKLESS SHAREPOINTWAC SWAY TEAMS1 YAMMER_ENTERPRISE"
)

NEEDS: Final = {
    _PLANS["MCOEV"]: (_PLANS["MCOSTANDARD"],),
    _PLANS["MCOMEETADV"]: (_PLANS["MCOSTANDARD"],),
    _PLANS["SHAREPOINTDESKLESS"]: (_PLANS["SHAREPOINTWAC"],),
    _PLANS["SHAREPOINTENTERPRISE"]: (_PLANS["SHAREPOINTWAC"],),
}
"""Service plans that only work beside others: Teams Phone and audio conferencing beside
Skype for Business, SharePoint beside Office for the web."""

EXCLUSIVE: Final = (
    frozenset((_PLANS["EXCHANGE_S_DESKLESS"], _PLANS["EXCHANGE_S_ENTERPRISE"])),
    frozenset((_PLANS["SHAREPOINTDESKLESS"], _PLANS["SHAREPOINTENTERPRISE"])),
)
"""Service plans of which a user can have one: the kiosk and the full one of a service
("Service plans that cannot be assigned at the same time")."""

PREMIUM: Final = frozenset((_PLANS["AAD_PREMIUM"], _PLANS["AAD_PREMIUM_P2"]))
"""The service plans of Entra ID P1 and P2."""

E3_CLASS: Final = frozenset(("ENTERPRISEPACK", "ENTERPRISEPREMIUM", "SPB", "SPE_E3", "SPE_E5"))
"""Subscriptions that allow licenses of groups even without Entra ID P1 (Entra, "What is
group-based licensing?": Office 365 E3 and above, Microsoft 365 Business Premium)."""

PROHIBITED: Final = frozenset(("CU", "IR", "KP", "SY"))
"""Countries where no subscription may be used (Microsoft, "About license restrictions"
says that there are some; which ones is inferred)."""

SERVICES: Final = {
    _PLANS[name]: service
    for service, names in {
        "AADPremiumService": "AAD_PREMIUM AAD_PREMIUM_P2",
        "Adallom": "ADALLOM_S_STANDALONE",
        "Deskless": "Deskless",
        "MicrosoftCommunicationsOnline": "MCOEV MCOMEETADV MCOSTANDARD",
        "MicrosoftOffice": (
            "OFFICEMOBILE_SUBSCRIPTION OFFICESUBSCRIPTION PROJECT_CLIENT_SUBSCRIPTION "
            "VISIO_CLIENT_SUBSCRIPTION"
        ),
        "MicrosoftStream": "STREAM_O365_E3 STREAM_O365_E5",
        "MultiFactorService": "MFA_PREMIUM",
        "OfficeForms": "FORMS_PLAN_E3 FORMS_PLAN_E5",
        "PowerAppsService": "POWERAPPS_O365_P2 POWERAPPS_O365_P3",
        "PowerBI": "BI_AZURE_P2",
        "ProcessSimple": "FLOW_O365_P2 FLOW_O365_P3",
        "ProjectWorkManagement": "PROJECTWORKMANAGEMENT",
        "RMSOnline": "RMS_S_ENTERPRISE RMS_S_PREMIUM",
        "SCO": "INTUNE_A",
        "SharePoint": (
            "PROJECT_PROFESSIONAL SHAREPOINTDESKLESS SHAREPOINTENTERPRISE SHAREPOINTWAC VISIOONLINE"
        ),
        "Sway": "SWAY",
        "TeamspaceAPI": "TEAMS1",
        "To-Do": "BPOS_S_TODO_2 BPOS_S_TODO_3 BPOS_S_TODO_FIRSTLINE",
        "Windows": "WIN10_PRO_ENT_SUB",
        "WindowsDefenderATP": "WINDEFATP",
        "YammerEnterprise": "YAMMER_ENTERPRISE",
        "exchange": (
            "ATP_ENTERPRISE EXCHANGE_S_DESKLESS EXCHANGE_S_ENTERPRISE THREAT_INTELLIGENCE"
        ),
    }.items()
    for name in names.split()
}
"""What `assignedPlans` calls the service of each plan."""


@dataclass(frozen=True, slots=True)
class Sku:
    """A subscription: what it is called, how many seats it has, what it consists of.

    *enabled* are seats in the state that `status` says.
    """

    part_number: str
    id: str
    enabled: int
    plans: str = ""
    """Names of service plans that Microsoft has, with blanks between them."""
    status: str = "Enabled"
    applies_to: str = "User"
    own_plans: tuple[tuple[str, str], ...] = ()
    """Names and ids of other service plans."""

    @property
    def service_plans(self) -> dict[str, str]:
        """Give the ids of its service plans by name."""
        return dict(sorted([*((n, _PLANS[n]) for n in self.plans.split()), *self.own_plans]))


SKUS: Final = (
    Sku("SPE_E5", "06ebc4ee-1bb5-47dd-8120-11324bc54e06", 250, _E5),
    Sku("SPE_E3", "05e9a617-0261-4cee-bb44-138d3ef5d965", 120, _E3),
    Sku("POWER_BI_PRO", "f8a1db68-be16-40ed-86d5-cb42ce701560", 10, "BI_AZURE_P2"),
    Sku(
        "PROJECTPROFESSIONAL",
        "53818b1b-4a27-454b-8896-0dba576410e6",
        3,
        "PROJECT_CLIENT_SUBSCRIPTION PROJECT_PROFESSIONAL",
    ),
    Sku(
        "VISIOCLIENT",
        "c5928f49-12ba-48f7-ada3-0d743a3601d5",
        5,
        "VISIOONLINE VISIO_CLIENT_SUBSCRIPTION",
        status="Suspended",
    ),
    Sku(
        "WINDOWS_STORE",
        "6470687e-a428-4b7a-bef2-8a291ad947c9",
        25,
        "WINDOWS_STORE",
        applies_to="Company",
    ),
    Sku("MCOEV", "e43b5b99-8dfb-405f-9987-dc307f34bcbd", 5, "MCOEV"),
    Sku("SPE_F1", "66b55226-6b4f-492c-910c-a3b7a3c9d993", 25, _F3),
)

_UNITS: Final = {
    "Enabled": "enabled",
    "Suspended": "suspended",
    "Warning": "warning",
    "LockedOut": "lockedOut",
}
"""Where the seats of a subscription are counted, by its `capabilityStatus`; a deleted one has
none."""

ID_OF: Final = {sku.part_number: sku.id for sku in SKUS}

_OTHERS: Final = (
    Sku("AAD_PREMIUM", "078d2b04-f1bd-4111-bbd4-b4b1b354cef4", 0, "AAD_PREMIUM MFA_PREMIUM"),
    Sku(
        "AAD_PREMIUM_P2",
        "84a661c4-e949-4bd2-a560-ed7766fcaf2b",
        0,
        "AAD_PREMIUM AAD_PREMIUM_P2 ADALLOM_S_STANDALONE MFA_PREMIUM",
    ),
    Sku(
        "EMSPREMIUM",
        "b05e124f-c7cc-45a0-a6aa-8cf78c946968",
        0,
        "AAD_PREMIUM AAD_PREMIUM_P2 ADALLOM_S_STANDALONE INTUNE_A MFA_PREMIUM RMS_S_ENTERPRISE "
        "RMS_S_PREMIUM",
    ),
)

KNOWN: Final = {sku.part_number: sku for sku in (*SKUS, *_OTHERS)}
"""What a seed file may name without describing it, by part number."""


def document(sku: Sku, tenant_id: str, account: str) -> dict[str, Any]:
    """Give *sku* as `subscribedSku` is, but for its consumption."""
    units = dict.fromkeys(_UNITS.values(), 0)
    if sku.status in _UNITS:
        units[_UNITS[sku.status]] = sku.enabled
    return {
        "capabilityStatus": sku.status,
        "id": f"{tenant_id}_{sku.id}",
        "skuId": sku.id,
        "skuPartNumber": sku.part_number,
        "appliesTo": sku.applies_to,
        "accountId": tenant_id,
        "accountName": account,
        "subscriptionIds": [str(uuid5(UUID(tenant_id), f"subscription {sku.part_number}"))],
        "prepaidUnits": units,
        "servicePlans": [
            {
                "servicePlanId": key,
                "servicePlanName": name,
                "provisioningStatus": "Success",
                "appliesTo": sku.applies_to,
            }
            for name, key in sku.service_plans.items()
        ],
    }
