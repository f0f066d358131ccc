from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.company.contoso import ADMIN_APP, APPLY_APP, PLAN_APP
from reconciler.sandbox.data import keeping, store

if TYPE_CHECKING:
    from pathlib import Path


def test_another_company_s_first_writer_has_the_certificate(
    tmp_path: Path, certificates: Path
) -> None:
    """Without Contoso's application it is the first that may write; without any, nobody."""
    with keeping.opened(tmp_path / "sandbox.sqlite") as db:
        for gone in (APPLY_APP, PLAN_APP):
            db.execute(
                "DELETE FROM resource WHERE kind = 'application' AND id = ?", (gone.client_id,)
            )
        path = keeping.registered(db, certificates)
        known = store.resource(db, "application", ADMIN_APP.client_id) or {}
        assert path
        assert known["certificate"].startswith("-----BEGIN CERTIFICATE-----")
        db.execute("DELETE FROM resource WHERE kind = 'application'")
        assert keeping.registered(db, certificates) is None
