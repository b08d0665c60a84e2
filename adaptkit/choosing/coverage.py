"""How the tokenizer of a backbone reads a text in the language."""

from collections import Counter
from collections.abc import Sequence

from adaptkit.backbones.load import Outline
from adaptkit.backbones.vocabulary import vocabulary_in
from adaptkit.choosing.candidate import Coverage
from adaptkit.data.triage import triage

_MOST_LINES = 2_000
_MAX_LENGTH = 128


def coverage_of(outline: Outline, lines: Sequence[str], language: str) -> Coverage:
    """Tokenize at most 2,000 lines, drawn evenly, and look up each of their letters.

    Raises:
        EmptyCorpus: There is no line with text.
    """
    tokenizer = outline.tokenizer
    found = triage(lines, tokenizer, max_length=_MAX_LENGTH, sample_lines=_MOST_LINES, language=language)
    needed = vocabulary_in(lines, [language], tokenizer, outline.text_prefix)
    letters = Counter(letter for line in lines for letter in line if letter.isalpha())
    known = sum(count for letter, count in letters.items() if _has_piece(outline, letter))
    return Coverage(
        unknown_share=found.unknown_share,
        unknown_line_share=found.unknown_sentence_share,
        tokens_per_word=found.tokens_per_word,
        letter_share=known / max(letters.total(), 1),
        pieces_used=len(needed),
        pieces=len(tokenizer),
        refusal=found.refusal(),
    )


def _has_piece(outline: Outline, letter: str) -> bool:
    """Whether a letter is one piece, perhaps beside the mark of a word's beginning, and not unknown or its bytes."""
    ids: list[int] = outline.tokenizer(letter, add_special_tokens=False)["input_ids"]
    unknown = outline.tokenizer.unk_token_id
    own = [number for number in ids if str(outline.tokenizer.decode([number])).strip()]
    return len(own) == 1 and own[0] != unknown
