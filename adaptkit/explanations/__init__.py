"""Why a head gave its answer, as values, and how they are shown in a terminal and on a page."""

from adaptkit.explanations.explanation import ExplainedWord, Explanation, LeftOut

__all__ = ["ExplainedWord", "Explanation", "LeftOut"]
