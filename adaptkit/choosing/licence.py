"""The licence of a backbone, as its model card states it."""

import re
from pathlib import Path

_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*(\n|\Z)", re.DOTALL)
_LINE = re.compile(r"^(license|license_name):\s*[\"']?([^\"'\n#]+?)[\"']?\s*(#.*)?$", re.MULTILINE)
_MOST_BYTES = 2**20
_OF_EMBEDDED = {"intfloat/multilingual-e5-small": "mit", "HuggingFaceTB/SmolLM2-135M-Instruct": "apache-2.0"}
"""What the model cards of those say whose folders we make ourselves."""


def licence_of(folder: Path, hub_id: str | None) -> str | None:
    """What the front matter of the folder's README states, or what is known of an embedded one; None: nothing."""
    card = folder / "README.md"
    if not card.is_file():
        return _OF_EMBEDDED.get(str(hub_id))
    with card.open("rb") as file:
        text = file.read(_MOST_BYTES).decode("utf-8", errors="replace").replace("\r\n", "\n")
    front = _FRONT_MATTER.match(text)
    stated = {} if front is None else {match[1]: match[2].strip() for match in _LINE.finditer(front[1])}
    if stated.get("license") == "other" and "license_name" in stated:
        return stated["license_name"]
    return stated.get("license")
