"""The backbones at hand: what the caller names, the embedded ones, and what lies in the hub cache. No network."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adaptkit.backbones.place import EMBEDDED
from adaptkit.format.architectures import ARCHITECTURES

_CONFIG = "config.json"
_MOST_IN_A_FOLDER = 100


@dataclass(frozen=True)
class AtHand:
    """Where each lies, by its name as `load_model` takes it, and what was passed over, in sentences.

    A model that lies in the hub cache has the place of its snapshot, so that no hub is asked whether it is the newest.
    """

    places: Mapping[str, str]
    notes: tuple[str, ...] = ()


def at_hand(named: Sequence[str | os.PathLike[str]], *, only_named: bool) -> AtHand:
    """The named ones first, folders of several opened; then the others, unless only the named ones are wanted."""
    places = {name: name for given in named for name in _opened(os.fspath(given))}
    if only_named:
        return AtHand(places)
    cached, notes = _in_hub_cache()
    return AtHand({**places, **dict(zip(EMBEDDED, EMBEDDED, strict=True)), **cached, **places}, tuple(notes))


def _opened(name: str) -> list[str]:
    """A folder of backbones as these; anything else as it is."""
    folder = Path(name)
    if not folder.is_dir() or (folder / _CONFIG).is_file():
        return [name]
    inside = sorted(str(path.parent) for path in folder.glob(f"*/{_CONFIG}")) + sorted(map(str, folder.glob("*.gguf")))
    return inside[:_MOST_IN_A_FOLDER] or [name]


def _in_hub_cache() -> tuple[dict[str, str], list[str]]:
    """Ids and folders of models that were fetched before and have a row; and how many were passed over."""
    from huggingface_hub import constants, scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        found = scan_cache_dir(constants.HF_HUB_CACHE)
    except (CacheNotFound, ValueError, OSError):
        return {}, []
    places: dict[str, str] = {}
    other: set[str] = set()
    for repo in sorted(found.repos, key=lambda repo: repo.repo_id):
        if repo.repo_type != "model" or not repo.revisions:
            continue
        newest = max(repo.revisions, key=lambda revision: revision.last_modified)
        family = _family(Path(newest.snapshot_path) / _CONFIG)
        if family in ARCHITECTURES:
            places[repo.repo_id] = str(newest.snapshot_path)
        elif family is not None:
            other.add(family)
    passed_over = f"models in the hub cache are passed over whose family has no row: {', '.join(sorted(other))}"
    return places, [passed_over] if other else []


def _family(config: Path) -> str | None:
    try:
        return str(json.loads(config.read_bytes())["model_type"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
