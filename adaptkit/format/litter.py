"""What systems and other tools leave in folders by themselves: no file of an adapter, and nobody's doing."""

from adaptkit.format.leftovers import is_of_a_writer

_OF_SYSTEMS = frozenset(
    name.lower()
    for name in (
        *(".DS_Store", ".localized", "__MACOSX", ".Spotlight-V100", ".Trashes", ".fseventsd", "Icon\r"),
        *("Thumbs.db", "ehthumbs.db", "desktop.ini", "$RECYCLE.BIN", "System Volume Information"),
        *(".directory", "lost+found"),
    )
)
LOG, TRACKERS = ".training_log.jsonl", ".training_logs"
"""How the names end of the log of a training, and of the folder of its trackers, which lie beside its output."""
_OF_TOOLS = frozenset({".git", ".gitattributes", ".gitignore", ".cache", ".ipynb_checkpoints"})


def is_disposable(name: str) -> bool:
    """Whether a system made this file or folder, and makes it again when it is gone."""
    return name.lower() in _OF_SYSTEMS or name.startswith("._")


def is_litter(name: str) -> bool:
    """Whether this file or folder is passed over where adapters are looked for and checked; it is never opened."""
    return is_disposable(name) or name in _OF_TOOLS or name.endswith((LOG, TRACKERS)) or is_of_a_writer(name)


def is_in_litter(path: str) -> bool:
    """Whether any part of a path, parted by `/`, is."""
    return any(map(is_litter, path.split("/")))
