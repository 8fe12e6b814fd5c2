"""Words for what the ranking weighs: nobody is shown bits, since none are calibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdpdoctor.diagnosis.model import Weighed

WEIGHT_WORDS = {3: "strong", 2: "medium", 1: "weak"}
#: kind of rule → which side it is on, and its weight in words where that is not the rule's own.
KINDS: dict[str, tuple[str, str | None]] = {
    "confirms": ("for", "direct"),
    "supports": ("for", None),
    "opposes": ("against", None),
    "excludes": ("against", "decisive"),
    "requires": ("given", ""),
}
#: What holds a cause's confidence down (`RankedCause.limits`).
LIMITS = {
    "hearsay": "Only a code or an answer speaks for it, nothing that was measured.",
    "impatience": "It rests on a short silence, and a server may merely be slow.",
    "narrower": "Another cause says the same more exactly.",
    "behind": "Far more speaks for another cause.",
    "healthy": "All that was tried works.",
    "contradiction": "The evidence contradicts itself.",
    "cut-off": "The recording does not show that anything failed.",
}


def prior_word(bits: float) -> str:
    """How often one meets it, whatever the evidence."""
    return "common" if bits >= 0.75 else "usual" if bits >= -0.25 else "rare"


def weight_word(rule: Weighed) -> str:
    """Empty for what a cause merely requires: that has no weight."""
    word = KINDS[rule.kind][1]
    return WEIGHT_WORDS[rule.weight] if word is None else word
