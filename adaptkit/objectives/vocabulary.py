"""The tokens that a softmax runs over: all of the backbone's, or those of the training text (the corpus vocabulary)."""

FULL_UP_TO = 100_000
"""So many tokens of a decoder are all compared where nothing is asked: more cost much time in every step."""

FULL_VOCABULARY = (
    "softmax over the full vocabulary, not the corpus vocabulary "
    f"(default: for clm up to {FULL_UP_TO:,} tokens; else not)"
)
