"""Signs `.rdp` files as Microsoft's tool does, with OpenSSL's command."""

from __future__ import annotations

import base64
import shutil
import struct
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

with_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")


@dataclass(frozen=True, slots=True)
class Signer:
    key: Path
    certificate: Path

    def sign(self, content: bytes, *options: str) -> bytes:
        """CMS SignedData, in DER, without the content."""
        found = subprocess.run(
            ["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-nosmimecap", "-md", "sha256",
             *options, "-signer", str(self.certificate), "-inkey", str(self.key)],
            input=content, capture_output=True, check=True, timeout=30,
        )  # fmt: skip
        return found.stdout


def signer(folder: Path, name: str, *options: str, key: Sequence[str] = ("rsa:2048",)) -> Signer:
    made = Signer(folder / f"{name}.key", folder / f"{name}.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", *key, "-nodes", "-keyout", str(made.key), "-out",
         str(made.certificate), "-subj", f"/CN={name}", "-days", "3650", *options],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    return made


def signed(by: Signer, lines: Sequence[str], scope: str, *options: str) -> list[str]:
    """The file's lines with those two at their end. scope: as the line has it."""
    named = {line.partition(":")[0].lower(): line for line in lines}
    covered = [named[name.lower()] for name in scope.split(",")] + [f"signscope:s:{scope}"]
    cms = by.sign(("\r\n".join(covered) + "\r\n\0").encode("utf-16-le"), *options)
    text = base64.b64encode(struct.pack("<III", 0x10001, 1, len(cms)) + cms).decode()
    # The tool writes two blanks after every 64 characters.
    split = "".join(f"{text[at : at + 64]}  " for at in range(0, len(text), 64))
    return [*lines, covered[-1], f"signature:s:{split}"]
