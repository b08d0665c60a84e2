"""Cards of adapters whose texts a stranger has written."""

import json
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from adaptkit.format.spec import CONFIG_FILE, RECORD_FILE
from adaptkit.storage import load_adapter
from fuzz.mutation import changed_bytes
from fuzz.parcel import pack, unpack
from fuzz.soundness import check_card
from fuzz.target import Target
from fuzz.targets.folders import FOLDER, golden_folders, lay_out_folder
from tests.hostile_texts import HOSTILE

_TEXTS = (
    *("card.source", "card.licence", "card.text_kind", "card.adaptkit_version", "backbone.name", "backbone.release"),
    *(
        "card.training.objective",
        "card.training.stopped_because",
        "language",
        "name",
        "below.0",
        "card.training.settings.x",
    ),
)


def _changed(data: bytes, random: Random) -> bytes:
    parcel = unpack(data)
    if RECORD_FILE not in parcel or CONFIG_FILE not in parcel:
        return data
    try:
        record: Any = json.loads(parcel[RECORD_FILE][1])
        config: Any = json.loads(parcel[CONFIG_FILE][1])
        for field in random.sample(_TEXTS, random.choice((1, 2, 5))):
            _put(record, field, _text(random))
        if config.get("head") and random.random() < 0.3:
            labels = config["head"]["labels"]
            labels[random.randrange(len(labels))] = _text(random)
    except (ValueError, TypeError, LookupError, AttributeError):
        return data
    parcel[RECORD_FILE] = (b"f", json.dumps(record).encode())
    parcel[CONFIG_FILE] = (b"f", json.dumps(config).encode())
    return pack(parcel)


def _put(record: Any, field: str, text: str) -> None:  # noqa: ANN401 - JSON
    *path, last = field.split(".")
    for step in path:
        record = record[step]
    if isinstance(record, list):
        record.append(text)
    else:
        record[last] = text


def _text(random: Random) -> str:
    texts = list(HOSTILE.values())
    text = "".join(random.choice(texts)[:500] for _ in range(random.choice((1, 1, 2, 3))))
    if random.random() < 0.3:
        text = changed_bytes(text.encode(), random).decode("utf-8", "replace")
    # Most controls are refused by the reader, and then there is no card to look at.
    return "".join(sign for sign in text if sign >= " ") if random.random() < 0.8 else text


def _render(_data: bytes) -> Callable[[], None]:
    adapter = load_adapter(FOLDER)
    adapter.render_card()
    return partial(check_card, adapter)


CARD = Target(seeds=golden_folders, mutate=_changed, prepare=lay_out_folder, read=_render)
