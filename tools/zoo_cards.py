"""Write the cards of `adapters_zoo/` anew, as this adaptkit writes cards, and the index that holds their hashes.

`python -m tools.zoo_cards` changes README.md of each adapter and index.json, and nothing else: record, config and
weights stay byte for byte, and with them what was measured and proven.
"""

from pathlib import Path

from adaptkit.errors import ConfigError
from adaptkit.format.folder import whole_file
from adaptkit.format.spec import CARD_FILE, SIGNATURE_FILE
from adaptkit.storage import Zoo

ZOO = Path(__file__).parents[1] / "adapters_zoo"


def rewrite(folder: Path) -> list[str]:
    """Write every card of a zoo that is another one now; gives the places of those.

    Raises:
        ConfigError: The zoo is signed, and would not be any more.
    """
    zoo = Zoo(folder)
    if SIGNATURE_FILE in zoo.top.names():
        raise ConfigError(f"{folder} is signed; its cards stay as they were signed.")
    changed = []
    for listing in zoo:
        path, card = folder / listing.place / CARD_FILE, listing.load().render_card()
        if path.read_text(encoding="utf-8") != card:
            with whole_file(path) as partial:
                partial.write_text(card, encoding="utf-8")
            changed.append(listing.place)
    Zoo(folder).write_index()
    return changed


if __name__ == "__main__":
    print("\n".join(rewrite(ZOO)) or "all cards are as they would be written")  # noqa: T201
