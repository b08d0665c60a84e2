"""`adaptkit mine`."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import BackboneOption
from adaptkit.cli.named_stacks import StackZooOption, named_stacks
from adaptkit.data.corpus import open_corpus
from adaptkit.data.margin import LEAST_WORDS, NEIGHBOURS, THRESHOLD
from adaptkit.errors import ConfigError
from adaptkit.terminal.amounts import counted

_FILE = "<file>"


def mine(
    text: Annotated[list[Path], typer.Option(metavar=_FILE, help="text in the language; may be repeated")],
    translations: Annotated[
        list[Path], typer.Option(metavar=_FILE, help="text in the other language; may be repeated")
    ],
    lang: Annotated[str, typer.Option(help="language of the text")],
    output: Annotated[Path, typer.Option(help="file to write: lines of both sentences with a tab between")],
    source_lang: Annotated[str, typer.Option(help="language of the other text")] = "en",
    threshold: Annotated[
        float,
        typer.Option(
            help="how near two sentences must be, beside their neighbours: 1 is no nearer than those, 1.1 much nearer"
        ),
    ] = THRESHOLD,
    neighbours: Annotated[int, typer.Option(help="neighbours that a pair is compared with")] = NEIGHBOURS,
    least_words: Annotated[
        int, typer.Option(help="shorter sentences are left out; in a script without spaces, letters count")
    ] = LEAST_WORDS,
    stack: Annotated[
        str | None, typer.Option(help="adapters under which the text is encoded, such as language/sw (default: none)")
    ] = None,
    translations_stack: Annotated[str | None, typer.Option(help="those for the translations (default: none)")] = None,
    zoo: StackZooOption = None,
    backbone: BackboneOption = None,
) -> Answer:
    """Find sentences in two texts that translate each other. They are pairs for train --parallel."""
    from adaptkit.recipes.mining import mine_pairs
    from adaptkit.recipes.place import model_of
    from adaptkit.requests import Pretrained
    from adaptkit.training.data import MIN_SENTENCES

    if output.exists():
        raise ConfigError(f"{output} exists already; nothing was mined. Give another file.")
    for each in (*text, *translations):
        open_corpus(each).require_text()  # before a backbone is loaded for nothing
    model = model_of(Pretrained(backbone))
    under, translations_under = named_stacks(model, zoo, stack, translations_stack)
    mined = mine_pairs(
        text=text,
        translations=translations,
        lang=lang,
        source_lang=source_lang,
        threshold=threshold,
        neighbours=neighbours,
        least_words=least_words,
        stack=under,
        translations_stack=translations_under,
        backbone=model,
    )
    mined.save(output)
    what = f"{counted(len(mined), 'pair is', 'pairs are')} in {output}"
    facts = {"pairs": len(mined), "file": str(output), "language": mined.language}
    if len(mined) < MIN_SENTENCES:
        return Answer(facts, f"{what}; training needs at least {MIN_SENTENCES}", confirms=True)
    command = ["adaptkit", "train", "--lang", lang, "--parallel", str(output), "--output", f"adapters/{mined.language}"]
    return Answer(facts, f"{what}: look at them, then {shlex.join(command)}", confirms=True)
