"""What is known of backbones as they were published, and not said by their files."""

from collections.abc import Mapping

EMBEDDED = "multilingual-e5-small"
EMBEDDED_DECODER = "smollm2-135m-instruct"
HUB_IDS: Mapping[str, str] = {
    EMBEDDED: "intfloat/multilingual-e5-small",
    EMBEDDED_DECODER: "HuggingFaceTB/SmolLM2-135M-Instruct",
}
"""Backbones that go by another name here than where model hubs have them."""

_TEXT_PREFIXES: Mapping[str, str] = {"intfloat/multilingual-e5-": "query: ", "intfloat/e5-": "query: "}
"""Prefixes that models were trained with, and that their folders do not say, by the start of their hub id."""


def known_text_prefix(hub_id: str) -> str:
    """What has to stand before every text of a published model; empty where no such thing is known."""
    return next((prefix for start, prefix in _TEXT_PREFIXES.items() if hub_id.startswith(start)), "")
