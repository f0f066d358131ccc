"""The certificate authority of the servers, what it made, and an application's key.

The names of Microsoft's hosts are in it too: a client that cannot be pointed elsewhere
can be tunnelled.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.sandbox import hosts, ownership

if TYPE_CHECKING:
    from pathlib import Path

_NAMES: Final = (*hosts.LOOPBACK, *hosts.GRAPH, *hosts.LOGIN, *hosts.MANAGEMENT)

_CLIENT: Final = "apply-app.pem"


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM: whom to trust, what the server shows, and its key."""

    authority: Path
    chain: Path
    key: Path


def ensure(folder: Path) -> Certificates:
    """Give the certificates of *folder*, made now if there are none, or none that will do.

    Raises a `UsageError` when somebody else may have put them there.
    """
    files = Certificates(
        folder / "sandbox-ca.pem", folder / "sandbox-tls.pem", folder / "sandbox-tls-key.pem"
    )
    found = (
        ownership.is_there(files.authority, private=False),
        ownership.is_there(files.chain, private=False),
        ownership.is_there(files.key, private=True),
    )
    if not all(found) or _lacks_names(files.chain) or _is_apart(files):
        _make(files)
    return files


def _is_apart(files: Certificates) -> bool:
    """Whether the server's certificate is not of the authority: no client would take it."""
    from cryptography import x509  # noqa: PLC0415 -- slow to load
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 -- as above

    try:
        shown, authority = (
            x509.load_pem_x509_certificate(path.read_bytes())
            for path in (files.chain, files.authority)
        )
    except ValueError:
        return False
    try:
        shown.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return True
    return False


def _lacks_names(chain: Path) -> bool:
    """Whether *chain* is a certificate that is not for all names, as older sandboxes made them.

    What is no certificate is left alone: whoever uses it says so.
    """
    from cryptography import x509  # noqa: PLC0415 -- slow to load

    try:
        known = x509.load_pem_x509_certificate(chain.read_bytes()).extensions
        shown = known.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    names = {*shown.get_values_for_type(x509.DNSName)}
    addresses = {str(address) for address in shown.get_values_for_type(x509.IPAddress)}
    return not names | addresses >= {*_NAMES}


def ensure_client(folder: Path) -> Path:
    """Give the file with key and certificate of an application, made now if there is none.

    Raises a `UsageError` when somebody else may have put it there.
    """
    path = folder / _CLIENT
    if not ownership.is_there(path, private=True):
        import trustme  # noqa: PLC0415 -- as below

        # An authority is certified by itself, as what people register for an application.
        own = trustme.CA(organization_name="Contoso identity", key_type=trustme.KeyType.RSA)
        _write(path, own.private_key_pem.bytes() + own.cert_pem.bytes())
    return path


def forget_client(folder: Path) -> None:
    """Remove what `ensure_client` made in *folder*, if anything."""
    (folder / _CLIENT).unlink(missing_ok=True)


def public_part(path: Path) -> str:
    """Give the certificate in *path* without its key; raises ValueError when there is none."""
    from cryptography import x509  # noqa: PLC0415 -- slow to load
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 -- as above

    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return certificate.public_bytes(Encoding.PEM).decode()


def _make(files: Certificates) -> None:
    import trustme  # noqa: PLC0415 -- only a new folder needs it, and it is slow to load

    authority = trustme.CA(organization_name="Sandbox tenant")
    server = authority.issue_cert(*_NAMES)
    chain = b"".join(part.bytes() for part in server.cert_chain_pems)
    _write(files.key, server.private_key_pem.bytes())
    _write(files.chain, chain)
    _write(files.authority, authority.cert_pem.bytes())


def _write(path: Path, content: bytes) -> None:
    """Write what only this user may read."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
