from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
import trustme

from reconciler.errors import UsageError
from reconciler.sandbox import certificates, ownership
from reconciler.sandbox.data import keeping

if TYPE_CHECKING:
    from pathlib import Path

FOREIGN = 12_345
PEM = ["sandbox-ca.pem", "sandbox-tls.pem", "sandbox-tls-key.pem"]


def _serve(folder: Path) -> None:
    certificates.ensure(folder)
    certificates.ensure_client(folder)


@pytest.mark.parametrize("name", [*PEM, "apply-app.pem"])
def test_a_planted_certificate_is_refused(tmp_path: Path, name: str) -> None:
    """A link, and a file that others may write to, are named; ours are taken as they are."""
    _serve(tmp_path)
    _serve(tmp_path)
    path = tmp_path / name
    path.chmod(0o622)
    with pytest.raises(UsageError, match="is open to other users") as caught:
        _serve(tmp_path)
    assert str(caught.value.hint).startswith("if you trust what it holds: chmod go")
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is no regular file"):
        _serve(tmp_path)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """What is public others may read, a key they may not."""
    _serve(tmp_path)
    (tmp_path / "sandbox-ca.pem").chmod(0o644)
    _serve(tmp_path)
    for name in ("sandbox-tls-key.pem", "apply-app.pem"):
        (tmp_path / name).chmod(0o640)
        with pytest.raises(UsageError, match=name):
            _serve(tmp_path)
        (tmp_path / name).chmod(0o600)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
@pytest.mark.parametrize("name", ["sandbox-ca.pem", "sandbox.sqlite", "sandbox.sqlite-wal"])
def test_a_file_of_somebody_else_is_refused(tmp_path: Path, name: str) -> None:
    """Whoever laid it there, it is not used."""
    path = tmp_path / name
    path.touch(0o600)
    os.chown(path, FOREIGN, FOREIGN)
    with (
        pytest.raises(UsageError, match="belongs to another user"),
        keeping.opened(tmp_path / "sandbox.sqlite"),
    ):
        certificates.ensure(tmp_path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_a_link_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """A database may be linked to, by its owner."""
    link = tmp_path / "sandbox.sqlite"
    link.symlink_to(tmp_path / "real.sqlite")
    os.chown(link, FOREIGN, FOREIGN, follow_symlinks=False)
    with pytest.raises(UsageError, match="belongs to another user"), keeping.opened(link):
        pass


def test_an_authority_of_another_is_replaced(tmp_path: Path) -> None:
    """A server's certificate and the authority that clients trust go together."""
    files = certificates.ensure(tmp_path)
    trustme.CA().cert_pem.write_to_path(files.authority)
    before = files.chain.read_bytes()
    assert certificates.ensure(tmp_path).chain.read_bytes() != before
    files.authority.write_text("broken")
    after = files.chain.read_bytes()
    assert certificates.ensure(tmp_path).chain.read_bytes() == after


def test_a_database_is_its_owner_s_alone(tmp_path: Path) -> None:
    """A new one is, and one that others could read is again; also by way of a link."""
    file, link = tmp_path / "sandbox.sqlite", tmp_path / "link.sqlite"
    with keeping.opened(file):
        pass
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    link.symlink_to(file)
    for name in (file, link):
        file.chmod(0o644)
        with keeping.opened(name):
            pass
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_database_is_not_made_through_a_link(tmp_path: Path) -> None:
    """A link that leads nowhere makes nothing there."""
    link = tmp_path / "sandbox.sqlite"
    link.symlink_to(tmp_path / "elsewhere.sqlite")
    with pytest.raises(UsageError, match="cannot make"), keeping.opened(link):
        pass
    assert not (tmp_path / "elsewhere.sqlite").exists()


def test_what_is_not_there_is_no_fault(tmp_path: Path) -> None:
    """Nothing is asked of a file that is yet to be made."""
    assert not ownership.is_there(tmp_path / "x", private=True)
