"""Long texts in windows: pieces that overlap, each behind the question that is asked of it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from transformers import BatchEncoding, PreTrainedTokenizerBase

from adaptkit.data.letters import whole_letters

_SPECIAL_TOKENS_OF_A_PAIR = 4


@dataclass(frozen=True)
class Window:
    """A piece of a long text pair: its token ids, and for each token the letters of the second text that it is part of.

    A letter counts with its marks, which some tokenizers give to no token. `text` numbers the pair. `reach` are the
    characters of the second text that the window holds, from and to; the first and the last window reach to its ends.
    `cut` says whether the first text was. `first_places` are the characters of the first text, with all that stands
    before it.

    Shape: places and first_places (len(ids), 2), characters from and to, -1 outside the second text or the first.
    """

    text: int
    ids: list[int]
    places: NDArray[np.int32]
    reach: tuple[int, int]
    first_places: NDArray[np.int32]
    cut: bool = False


def windows_of(
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[str],
    contexts: Sequence[str],
    *,
    limit: int,
    stride: int,
    whole: int,
) -> list[Window]:
    """Questions with their contexts, in as many windows of `limit` tokens as each context needs.

    `stride` and `whole` are those of `TextReader.tokenize_windows`.
    """
    asked = _cut(tokenizer, questions, limit // 2)
    by_overlap: dict[int, list[int]] = defaultdict(list)
    for number, (_, n_tokens) in enumerate(asked):
        room = max(0, limit - n_tokens - _SPECIAL_TOKENS_OF_A_PAIR)
        by_overlap[max(min(stride, room // 4), min(whole, room // 2))].append(number)
    windows = []
    for overlap, numbers in by_overlap.items():
        encoded = tokenizer(
            [asked[number][0] for number in numbers],
            [contexts[number] for number in numbers],
            truncation="only_second",
            max_length=limit,
            stride=overlap,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_attention_mask=False,
        )
        for at, text in enumerate(encoded["overflow_to_sample_mapping"]):
            windows.append(_window(encoded, at, numbers[text], contexts[numbers[text]]))
    cut = [len(first) < len(text) for text, (first, _) in zip(questions, asked, strict=True)]
    windows = [replace(window, cut=cut[window.text]) for window in windows]
    return _reaching_ends(sorted(windows, key=lambda window: window.text), contexts)


def _cut(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], most: int) -> list[tuple[str, int]]:
    """The texts, each of at most so many tokens, and how many that are."""
    encoded = tokenizer(
        list(texts),
        add_special_tokens=False,
        return_offsets_mapping=True,
        return_attention_mask=False,
        verbose=False,
    )
    return [
        (text, len(places)) if len(places) <= most else (text[: places[most - 1][1]], most)
        for text, places in zip(texts, encoded["offset_mapping"], strict=True)
    ]


def _window(encoded: BatchEncoding, at: int, text: int, context: str) -> Window:
    ids: list[int] = encoded["input_ids"][at]
    parts, offsets = encoded.sequence_ids(at), np.asarray(encoded["offset_mapping"][at], dtype=np.int32)
    inside = np.array([part == 1 for part in parts], dtype=bool)
    places = np.full((len(ids), 2), -1, dtype=np.int32)
    found = whole_letters(context, offsets[inside])
    places[inside] = found
    first_places = np.where(np.array([part == 0 for part in parts])[:, None], offsets, np.int32(-1))
    return Window(text, ids, places, (int(found[0, 0]), int(found[-1, 1])) if len(found) else (0, 0), first_places)


def _reaching_ends(windows: Sequence[Window], contexts: Sequence[str]) -> list[Window]:
    """The first and last window of each text with the characters at its ends that belong to no token."""
    numbers = [-1, *(window.text for window in windows), -1]
    reaching = []
    for window, before, after in zip(windows, numbers, numbers[2:], strict=False):
        start = window.reach[0] if before == window.text else 0
        end = window.reach[1] if after == window.text else len(contexts[window.text])
        reaching.append(replace(window, reach=(start, end)))
    return reaching
