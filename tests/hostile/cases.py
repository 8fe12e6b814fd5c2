"""All hostile peers by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import after_tls, before_tls, in_tls

if TYPE_CHECKING:
    from .fault import Fault

CASES: dict[str, Fault] = {**in_tls.CASES, **before_tls.CASES, **after_tls.CASES}
