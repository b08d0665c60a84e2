"""A tokenizer in Python, such as PhoBERT's, which says less of what it did than one in Rust."""

from dataclasses import replace
from typing import Any

from transformers import BatchEncoding

from adaptkit.backbones import Backbone
from adaptkit.model import AdaptedModel
from tests.tiny import tiny_backbone, tiny_tokenizer


class InPython:
    """The tiny tokenizer without what only the ones in Rust give."""

    def __init__(self) -> None:
        self._inner = tiny_tokenizer()

    def __call__(self, *texts: Any, **options: Any) -> BatchEncoding:  # noqa: ANN401 - as transformers has it
        return BatchEncoding(dict(self._inner(*texts, **options)))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._inner, name)


def test_texts_are_tokenized_and_cut_all_the_same() -> None:
    fast = tiny_backbone()
    slow: Backbone = replace(fast, tokenizer=InPython())  # type: ignore[arg-type]
    texts = ["Habari ya asubuhi", "Mbuzi " * 40, ""]
    assert slow.tokenize(texts, max_length=12) == fast.tokenize(texts, max_length=12)
    cut = [was_cut for _, was_cut in slow.tokenize_cutting([(text, None) for text in texts], max_length=12)]
    assert cut == [False, True, False]
    assert AdaptedModel(slow).encode(texts).equal(AdaptedModel(fast).encode(texts))
