"""Words that a text and its translation spell alike."""

from dataclasses import replace

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from adaptkit.backbones import Backbone, word_starts
from adaptkit.training.objectives.shared_words import SharedWords
from tests.tiny import tiny_backbone

MARK = "\u2581"
PIECES = ["<s>", "<pad>", "</s>", "<unk>", f"{MARK}ask", ":"]
PIECES += [f"{MARK}{word}" for word in ("Amina", "da", "went", "je", "to", "19", "Bau", "Bauta", "(")]
PIECES += ["chi", "58", ".", ",", "na", "Amina"]


def backbone(prefix: str = "") -> Backbone:
    """One whose tokenizer has these pieces, and splits at spaces and punctuation."""
    made = Tokenizer(models.WordPiece({piece: number for number, piece in enumerate(PIECES)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return replace(
        tiny_backbone(),
        text_prefix=prefix,
        tokenizer=PreTrainedTokenizerFast(tokenizer_object=made, **names),  # type: ignore[no-untyped-call]
    )


def ids(*pieces: str) -> list[int]:
    return [PIECES.index("<s>"), *(PIECES.index(piece) for piece in pieces), PIECES.index("</s>")]


def shared(ours: list[int], theirs: list[int], prefix: str = "") -> list[str]:
    found = SharedWords(backbone(prefix)).in_both(ours, theirs)
    assert len(found) == len(ours)
    return [PIECES[token] for token, both in zip(ours, found, strict=True) if both]


def test_names_and_numbers_are_found_whatever_stands_around_them() -> None:
    ours = ids(f"{MARK}Amina", f"{MARK}je", f"{MARK}Bau", "chi", ",", f"{MARK}19", "58", ".")
    theirs = ids(f"{MARK}19", "58", ".", f"{MARK}Amina", f"{MARK}went", f"{MARK}to", f"{MARK}Bau", "chi", ".")
    assert shared(ours, theirs) == [f"{MARK}Amina", f"{MARK}Bau", "chi", f"{MARK}19", "58"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        # A part of a word is none, nor is a word of fewer than three letters.
        ((f"{MARK}Bau", "chi"), (f"{MARK}Bau",)),
        ((f"{MARK}Bau",), (f"{MARK}Bau", "chi")),
        ((f"{MARK}da", f"{MARK}je"), (f"{MARK}da", f"{MARK}je")),
        ((".", ","), (".", ",")),
    ],
)
def test_chance_is_no_word(ours: tuple[str, ...], theirs: tuple[str, ...]) -> None:
    assert shared(ids(*ours), ids(*theirs)) == []


def test_what_stands_behind_a_bracket_is_a_word() -> None:
    assert shared(ids(f"{MARK}(", "Amina"), ids(f"{MARK}(", "Amina", ".")) == ["Amina"]


def test_the_prefix_of_all_texts_is_no_word_of_theirs() -> None:
    ours = ids(f"{MARK}ask", f"{MARK}Amina")
    assert backbone("ask ").tokenize(["Amina"]) == [ours]
    assert shared(ours, ours, prefix="ask ") == [f"{MARK}Amina"]
    assert shared(ours, ours) == [f"{MARK}ask", f"{MARK}Amina"]


def test_words_begin_where_the_tokenizer_marks_them() -> None:
    assert word_starts([f"{MARK}a", "b", "\u0120c"]) == [True, False, True]
    assert word_starts(["a", "##b", "##c", "d"]) == [True, False, False, True]


def test_a_piece_of_number_signs_makes_no_wordpiece() -> None:
    assert word_starts([f"{MARK}a", "b", "###", f"{MARK}c"]) == [True, False, False, True]
