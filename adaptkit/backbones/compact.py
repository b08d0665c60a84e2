"""A trimmed backbone as an ordinary transformers folder: a smaller table, and a tokenizer whose ids are its rows."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from adaptkit.backbones.streamed import empty_network
from adaptkit.backbones.vocabulary import place_among
from adaptkit.errors import ConfigError
from adaptkit.format.architectures import architecture_of

_TOKENIZER_FILE = "tokenizer.json"
_ROLES = ("pad_token_id", "bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id", "decoder_start_token_id")


def save_compact(
    network: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Tensor,
    kept: NDArray[np.int64],
    folder: Path,
) -> None:
    """Write network and tokenizer with the tokens `kept` (ascending) numbered from 0, whose vectors are `rows`.

    Text whose tokens are all kept is cut into the same tokens and gets the same vectors.

    Shape: rows (len(kept), hidden_width).

    Raises:
        ConfigError: A tokenizer that joins pieces by rules, so that leaving some out would cut other text otherwise.
    """
    content = compact_tokenizer(json.loads(tokenizer.backend_tokenizer.to_str()), kept)
    config = copy.deepcopy(network.config)
    config.vocab_size = len(kept)
    for role in _ROLES:
        token_id = getattr(config, role, None)
        if isinstance(token_id, int):
            setattr(config, role, place_among(kept, token_id))
    row = architecture_of(config.model_type)
    if row.counts_from_padding and config.pad_token_id != network.config.pad_token_id:
        raise ConfigError("the padding token would get another number, from which this family counts positions.")
    small = empty_network(config)
    weights = {**network.state_dict(), row.table: rows}
    small.load_state_dict({name: weights[name] for name in small.state_dict()}, assign=True)
    small.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / _TOKENIZER_FILE).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def compact_tokenizer(content: dict[str, Any], kept: NDArray[np.int64]) -> dict[str, Any]:
    """The content of a tokenizer.json with the kept tokens only, numbered from 0.

    Raises:
        ConfigError: A byte-pair tokenizer.
    """
    model = dict(content["model"])
    if model["type"] == "Unigram":
        model["vocab"] = [model["vocab"][old] for old in kept.tolist() if old < len(model["vocab"])]
        model["unk_id"] = place_among(kept, model["unk_id"])
    elif model["type"] in ("WordPiece", "WordLevel"):
        old_ids = set(kept.tolist())
        model["vocab"] = {piece: place_among(kept, old) for piece, old in model["vocab"].items() if old in old_ids}
    else:
        raise ConfigError(
            f"a {model['type']} tokenizer joins pieces step by step, and without some of them would cut even text of "
            "kept tokens otherwise. Serve this backbone from its whole checkpoint, with vocabulary=... at loading."
        )
    added = [{**token, "id": place_among(kept, token["id"])} for token in content["added_tokens"]]
    return {
        **content,
        "model": model,
        "added_tokens": [token for token in added if token["id"] is not None],
        "post_processor": _renumbered(content["post_processor"], kept),
    }


def _renumbered(part: object, kept: NDArray[np.int64]) -> object:
    """A post-processor with new ids: in `ids` of a template, or behind a token as in `"sep": ["</s>", 2]`."""
    if isinstance(part, dict):
        return {
            name: [place_among(kept, old) for old in value] if name == "ids" else _renumbered(value, kept)
            for name, value in part.items()
        }
    if isinstance(part, list) and len(part) == 2 and isinstance(part[0], str) and type(part[1]) is int:
        return [part[0], place_among(kept, part[1])]
    return [_renumbered(each, kept) for each in part] if isinstance(part, list) else part
