"""Backbones that go by another name here than where model hubs have them."""

from collections.abc import Mapping

EMBEDDED = "multilingual-e5-small"
HUB_IDS: Mapping[str, str] = {EMBEDDED: "intfloat/multilingual-e5-small"}
