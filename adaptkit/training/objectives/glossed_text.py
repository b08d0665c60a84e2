"""A text with a dictionary for a translator: its sentences glossed, copies of them in mixed languages, and entries."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from random import Random

from adaptkit.backbones import Backbone
from adaptkit.data.lexicon import Lexicon
from adaptkit.data.sentence import Sentence
from adaptkit.data.tokens import TokenStore, tokenize_lines
from adaptkit.objectives import Gloss
from adaptkit.terminal.amounts import counted
from adaptkit.training.tokenized_text import TokenizedText


def glossed_text(text: TokenizedText, lexicon: Lexicon, options: Gloss, backbone: Backbone) -> TokenizedText:
    """The text with the dictionary's glosses as translations, and behind its sentences what helps training.

    Behind them stand copies of sentences, with words in the other language (`switch_rate`) or left out
    (`word_dropout`), which have the glosses of their sentences; and entries of the dictionary. Held-out sentences have
    no copies. How many there are is noted.
    """
    random = Random(text.seed)  # noqa: S311 - nothing secret
    glossed = [own._replace(translation=lexicon.glossed(own.text, random)) for own in text.sentences()]
    copies = _copies(glossed, lexicon, options, random, text.heldout())
    n_entries = min(len(lexicon), round(options.entry_share * len(glossed)))
    entries = [Sentence(*entry) for entry in random.sample(lexicon.entries, n_entries)]
    if bare := sum(own.text == own.translation for own in glossed):
        text.note(f"{bare:,} of {len(glossed):,} sentences have no word of the dictionary, and are kept where they are")
    if copies or entries:
        text.note(f"{_added(len(copies), n_entries)} too")
    behind, reader = [*copies, *entries], text.reader or backbone
    ids = tokenize_lines(
        (added.text for added in behind), lambda lines: reader.tokenize(lines, max_length=text.max_length)
    )
    # Entries are of no source of the text.
    parts = [*(row.part for row in chain(glossed, copies)), *(-1 for _ in entries)]
    return replace(
        text,
        mixture=text.mixture and text.mixture.with_parts(parts),
        tokens=TokenStore(chain(text.tokens, ids)),
        rows=lambda: chain(glossed, behind),
        n_measured=len(glossed),
    )


def _added(n_copies: int, n_entries: int) -> str:
    """What trains beside the sentences, in words; of at least one kind."""
    copies, entries = counted(n_copies, "copy", "copies"), counted(n_entries, "entry", "entries")
    kinds = ((n_copies, f"{copies} in mixed languages"), (n_entries, f"{entries} of the dictionary"))
    verb = "trains" if n_copies + n_entries == 1 else "train"
    return f"{' and '.join(kind for count, kind in kinds if count)} {verb}"


def _copies(
    glossed: Sequence[Sentence], lexicon: Lexicon, options: Gloss, random: Random, heldout: Sequence[int]
) -> list[Sentence]:
    """Copies of sentences that are trained on; those in which nothing has changed are left out."""
    free = sorted(set(range(len(glossed))).difference(heldout))
    chosen = random.sample(free, round(options.copy_share * len(free)))
    copies = []
    for own in (glossed[row] for row in chosen):
        mixed = _thinned(lexicon.glossed(own.text, random, share=options.switch_rate), options.word_dropout, random)
        if mixed != own.text:
            copies.append(own._replace(text=mixed))
    return copies


def _thinned(text: str, share: float, random: Random) -> str:
    """A text without some of what stands between spaces; never without all of it."""
    words = text.split()
    kept = [word for word in words if random.random() >= share]
    return text if len(kept) in (0, len(words)) else " ".join(kept)
