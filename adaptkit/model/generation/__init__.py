"""Text that a decoder writes behind prompts, each under a stack of its own."""

from adaptkit.model.generation.generated import Generated, GeneratedPiece
from adaptkit.model.generation.generator import Generator
from adaptkit.model.generation.translator import MAX_TRANSLATED_TOKENS, Translator, Wanted, bound_of_answers, writes

__all__ = [
    "MAX_TRANSLATED_TOKENS",
    "Generated",
    "GeneratedPiece",
    "Generator",
    "Translator",
    "Wanted",
    "bound_of_answers",
    "writes",
]
