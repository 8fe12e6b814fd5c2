"""How OpenSSL is set up to be as a current client is, and what its complaints mean."""

from __future__ import annotations

import ssl
from functools import cache

from rdpdoctor.connection.machine import How

# What current clients offer. 3DES and RC4 are gone from them; DHE is still in some. Level 0 is no weakness
# here: it lets us read the RSA-1024 or SHA-1 certificate that we are to report on.
_SUITES = (
    "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:DHE+AESGCM:DHE+AES:RSA+AESGCM:RSA+AES"
    ":!aNULL:!eNULL:!PSK:!SRP:!AESCCM:@SECLEVEL=0"
)
_LEGACY_SERVER_CONNECT = 0x4  # SSL_OP_LEGACY_SERVER_CONNECT; Python has the name from 3.12 on


@cache
def client_context() -> ssl.SSLContext:
    """Made once: it costs milliseconds. Verifies nothing; the certificate is judged elsewhere."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_SUITES)
    # Windows servers of some age lack secure renegotiation (RFC 5746); clients connect to them.
    context.options |= _LEGACY_SERVER_CONNECT | ssl.OP_NO_RENEGOTIATION
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


#: OpenSSL's names of alerts that came from the peer (include/openssl/sslerr.h: 1000 + the alert's number).
_ALERTS = {
    "SSLV3_ALERT_CLOSE_NOTIFY": 0,
    "SSLV3_ALERT_UNEXPECTED_MESSAGE": 10,
    "SSLV3_ALERT_BAD_RECORD_MAC": 20,
    "TLSV1_ALERT_DECRYPTION_FAILED": 21,
    "TLSV1_ALERT_RECORD_OVERFLOW": 22,
    "SSLV3_ALERT_DECOMPRESSION_FAILURE": 30,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": 40,
    "SSLV3_ALERT_NO_CERTIFICATE": 41,
    "SSLV3_ALERT_BAD_CERTIFICATE": 42,
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": 43,
    "SSLV3_ALERT_CERTIFICATE_REVOKED": 44,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": 45,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": 46,
    "SSLV3_ALERT_ILLEGAL_PARAMETER": 47,
    "TLSV1_ALERT_UNKNOWN_CA": 48,
    "TLSV1_ALERT_ACCESS_DENIED": 49,
    "TLSV1_ALERT_DECODE_ERROR": 50,
    "TLSV1_ALERT_DECRYPT_ERROR": 51,
    "TLSV1_ALERT_EXPORT_RESTRICTION": 60,
    "TLSV1_ALERT_PROTOCOL_VERSION": 70,
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": 71,
    "TLSV1_ALERT_INTERNAL_ERROR": 80,
    "TLSV1_ALERT_INAPPROPRIATE_FALLBACK": 86,
    "TLSV1_ALERT_USER_CANCELLED": 90,
    "TLSV1_ALERT_NO_RENEGOTIATION": 100,
    "TLSV13_ALERT_MISSING_EXTENSION": 109,
    "TLSV1_UNSUPPORTED_EXTENSION": 110,
    "TLSV1_CERTIFICATE_UNOBTAINABLE": 111,
    "TLSV1_UNRECOGNIZED_NAME": 112,
    "TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE": 113,
    "TLSV1_BAD_CERTIFICATE_HASH_VALUE": 114,
    "TLSV1_ALERT_UNKNOWN_PSK_IDENTITY": 115,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": 116,
    "TLSV1_ALERT_NO_APPLICATION_PROTOCOL": 120,
}

#: Complaints about what a well-formed message says; all others of the SSL library are about the form.
_UNACCEPTABLE = frozenset(
    {
        "UNSUPPORTED_PROTOCOL",
        "WRONG_SSL_VERSION",
        "VERSION_TOO_LOW",
        "VERSION_TOO_HIGH",
        "INAPPROPRIATE_FALLBACK",
        "UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
        "DH_KEY_TOO_SMALL",
        "BAD_DH_VALUE",
        "EE_KEY_TOO_SMALL",
        "CA_KEY_TOO_SMALL",
        "CA_MD_TOO_WEAK",
        "WRONG_SIGNATURE_TYPE",
        "WRONG_CERTIFICATE_TYPE",
        "WRONG_CURVE",
        "UNSUPPORTED_ELLIPTIC_CURVE",
        "UNSUPPORTED_COMPRESSION_ALGORITHM",
        "UNKNOWN_CERTIFICATE_TYPE",
        "UNKNOWN_PKEY_TYPE",
        "UNABLE_TO_FIND_PUBLIC_KEY_PARAMETERS",
        "UNABLE_TO_FIND_ECDH_PARAMETERS",
        "BAD_SIGNATURE",
        "EXCESSIVE_MESSAGE_SIZE",
        "CERTIFICATE_VERIFY_FAILED",
        "LIBRARY_BUG",
        "INTERNAL_ERROR",
    }
)


def meaning(error: OSError) -> tuple[How, int | None, str]:
    """CLOSED, ALERTED with the alert's number, MALFORMED or REJECTED; and OpenSSL's reason."""
    if isinstance(error, ssl.SSLZeroReturnError | ssl.SSLEOFError):
        return How.CLOSED, None, "close_notify"
    reason = getattr(error, "reason", None) or _unnamed(error)
    alert = _ALERTS.get(reason)
    if alert == 0:
        return How.CLOSED, None, "close_notify"
    if alert is not None:
        return How.ALERTED, alert, reason
    # Another library's complaint is about a certificate or a key inside a message that is well-formed.
    others = getattr(error, "library", None) != "SSL" or reason.endswith(" lib")
    return How.REJECTED if others or reason in _UNACCEPTABLE else How.MALFORMED, None, reason


def _unnamed(error: OSError) -> str:
    """Where Python has no name for the reason, it stands in the text: `[SSL] ASN1 lib (_ssl.c:1006)`."""
    text = error.strerror or type(error).__name__
    return text.removeprefix("[SSL] ").partition(" (_ssl")[0][:100]


def chain_of(session: ssl.SSLObject) -> tuple[bytes, ...]:
    """The certificates the server sent, as DER, its own first; empty where there are none."""
    public = getattr(session, "get_unverified_chain", None)
    if public is not None:  # from Python 3.13 on
        return tuple(bytes(der) for der in public() or ())
    inside = getattr(getattr(session, "_sslobj", None), "get_unverified_chain", None)
    if inside is not None:
        import _ssl

        certificates = inside() or ()
        return tuple(bytes(each.public_bytes(getattr(_ssl, "ENCODING_DER"))) for each in certificates)  # noqa: B009
    return ()
