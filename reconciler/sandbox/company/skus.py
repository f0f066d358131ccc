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
    "Deskless": "8c7d2df8-86f0-4902-b2ed-a0458298f3b3",
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
    "OFFICESUBSCRIPTION": "43de0ff5-c92c-492b-9116-175376d08c38",
    "POWERAPPS_O365_P2": "c68f8d98-5534-41c8-bf36-22fa496fa792",
    "POWERAPPS_O365_P3": "9c0dab89-a30c-4117-86e7-97bda240acd2",
    "PROJECTWORKMANAGEMENT": "b737dad2-2f6c-4c65-90e3-ca563267e8b9",
    "PROJECT_CLIENT_SUBSCRIPTION": "fafd7243-e5c1-4a3a-9e40-495efcb1d3c3",
    "PROJECT_PROFESSIONAL": "818523f5-016b-4355-9be8-ed6944946ea7",
    "RMS_S_ENTERPRISE": "bea4c11e-220a-4e6d-8eb8-8ea15d019f90",
    "RMS_S_PREMIUM": "6c57d4b6-3b23-47a5-9bc9-69f17b4947b3",
    "SHAREPOINTENTERPRISE": "5dbe027f-2339-4123-9542-606e4d348a72",
    "SHAREPOINTWAC": "e95bec33-7c88-4a70-8e19-b10bd9d0c014",
    "STREAM_O365_E3": "9e700747-8b1d-45e5-ab8d-ef187ceec156",
    "STREAM_O365_E5": "6c6042f5-6f01-4d67-b8c1-eb99d36eed3e",
    "SWAY": "a23b959c-7ce8-4e57-9140-b90eb88a9e97",
    "TEAMS1": "57ff2da0-773e-42df-b2af-ffb7a2317929",
    "THREAT_INTELLIGENCE": "8e0c0a52-6a6c-4d40-8370-dd62790dcd70",
    "VISIOONLINE": "2bdbaf8f-738f-4ac7-9234-3c3ee2ce7d0f",
    "VISIO_CLIENT_SUBSCRIPTION": "663a804f-1c30-4ff0-9915-9db84f0d1cea",
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

NEEDS: Final = {
    _PLANS["MCOEV"]: (_PLANS["MCOSTANDARD"],),
    _PLANS["MCOMEETADV"]: (_PLANS["MCOSTANDARD"],),
    _PLANS["SHAREPOINTENTERPRISE"]: (_PLANS["SHAREPOINTWAC"],),
}
"""Service plans that only work beside others: Teams Phone and audio conferencing beside
Skype for Business, SharePoint beside Office for the web."""


@dataclass(frozen=True, slots=True)
class Sku:
    """A subscription: what it is called, how many seats it has, what it consists of."""

    part_number: str
    id: str
    enabled: int
    plans: str
    status: str = "Enabled"
    applies_to: str = "User"


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
)

ID_OF: Final = {sku.part_number: sku.id for sku in SKUS}


def document(sku: Sku, tenant_id: str) -> dict[str, Any]:
    """Give *sku* as `subscribedSku` is, but for its consumption."""
    suspended = sku.status == "Suspended"
    return {
        "capabilityStatus": sku.status,
        "id": f"{tenant_id}_{sku.id}",
        "skuId": sku.id,
        "skuPartNumber": sku.part_number,
        "appliesTo": sku.applies_to,
        "accountId": tenant_id,
        "accountName": "contoso",
        "subscriptionIds": [str(uuid5(UUID(tenant_id), f"subscription {sku.part_number}"))],
        "prepaidUnits": {
            "enabled": 0 if suspended else sku.enabled,
            "suspended": sku.enabled if suspended else 0,
            "warning": 0,
            "lockedOut": 0,
        },
        "servicePlans": [
            {
                "servicePlanId": _PLANS[name],
                "servicePlanName": name,
                "provisioningStatus": "Success",
                "appliesTo": sku.applies_to,
            }
            for name in sorted(sku.plans.split())
        ],
    }
