from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.errors import UsageError
from reconciler.sandbox import certificates
from reconciler.sandbox.company.contoso import ADMIN_APP, APPLY_APP, PLAN_APP
from reconciler.sandbox.data import keeping, store

if TYPE_CHECKING:
    from pathlib import Path


def test_another_company_s_first_writer_has_the_certificate(tmp_path: Path) -> None:
    """Without Contoso's application it is the first that may write; without any, nobody."""
    with keeping.opened(tmp_path / "sandbox.sqlite") as db:
        for gone in (APPLY_APP, PLAN_APP):
            db.execute(
                "DELETE FROM resource WHERE kind = 'application' AND id = ?", (gone.client_id,)
            )
        path = keeping.registered(db, tmp_path)
        known = store.resource(db, "application", ADMIN_APP.client_id) or {}
        assert path
        assert known["certificate"].startswith("-----BEGIN CERTIFICATE-----")
        db.execute("DELETE FROM resource WHERE kind = 'application'")
        assert keeping.registered(db, tmp_path) is None


def test_a_declared_certificate_stays(tmp_path: Path) -> None:
    """What a seed file registers for the application that may write is not replaced."""
    folder = tmp_path / "other"
    folder.mkdir()
    declared = certificates.public_part(certificates.ensure_client(folder))
    seed = tmp_path / "company.yaml"
    text = "".join(f"      {line}\n" for line in declared.splitlines())
    seed.write_text(
        "version: 1\ncompany: {displayName: Fabrikam}\ndomains: [fabrikam.example]\n"
        f"applications:\n  - displayName: x\n    clientId: {APPLY_APP.client_id}\n"
        f"    certificate: |\n{text}"
    )
    with keeping.opened(tmp_path / "sandbox.sqlite", seed) as db:
        assert keeping.registered(db, tmp_path) is None
        known = store.resource(db, "application", APPLY_APP.client_id) or {}
    assert known["certificate"] == declared
    assert not (tmp_path / "apply-app.pem").exists()


def test_an_identity_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A link that leads nowhere is not followed, and is told of."""
    path = tmp_path / "priya-identity.txt"
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError) as caught, keeping.opened(tmp_path / "sandbox.sqlite"):
        pass
    assert str(caught.value) == f"cannot write {path}: file exists"
    assert not (tmp_path / "nowhere").exists()
