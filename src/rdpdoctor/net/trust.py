"""Would this machine's own root certificates vouch for a chain? A self-signed one is not asked about."""

from __future__ import annotations

import ssl
import warnings
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.x509.verification import Store


def judge(chain: tuple[bytes, ...]) -> tuple[bool | None, str | None]:
    """(trusted, why not). trusted is None where it was not judged. The name is not part of this judgement's
    reason:
    it is compared elsewhere, with the rules of Remote Desktop."""
    from cryptography import x509
    from cryptography.x509 import verification

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            leaf, *others = (x509.load_der_x509_certificate(der) for der in chain[:8])
        if leaf.issuer == leaf.subject:
            return None, "self-signed"
        store = _roots()
        if store is None:
            return None, "this machine has no root certificates"
        # The client verifier leaves the name out and would ask for clientAuth, so the name is taken from the
        # leaf.
        subject = _own_name(leaf)
        if subject is None:
            return None, "the certificate has no subjectAltName"
        verifier = verification.PolicyBuilder().store(store).build_server_verifier(subject)
        verifier.verify(leaf, others)
    except verification.VerificationError as error:
        return False, str(error)[:200]
    except (ValueError, TypeError) as error:
        return None, str(error)[:200]
    return True, None


def _own_name(leaf: x509.Certificate) -> x509.DNSName | x509.IPAddress | None:
    from cryptography import x509

    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    for name in names:
        if isinstance(name, x509.DNSName):
            return x509.DNSName(name.value.replace("*", "a", 1))
        if isinstance(name, x509.IPAddress):
            return name
    return None


@cache
def _roots() -> Store | None:
    """The system's roots as Python finds them: the Windows store, or OpenSSL's default file."""
    from cryptography import x509
    from cryptography.x509 import verification

    roots = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some roots are older than today's rules
        for der in ssl.create_default_context().get_ca_certs(binary_form=True):
            try:
                roots.append(x509.load_der_x509_certificate(der))
            except ValueError:
                continue  # a root that cannot be read vouches for nobody
    return verification.Store(roots) if roots else None
