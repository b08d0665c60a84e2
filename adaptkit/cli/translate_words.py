"""`adaptkit translate-words`."""

from pathlib import Path
from typing import Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import LexiconOption, OverwriteFileOption, WordsOption
from adaptkit.config import LEAST_WORD_SCORE
from adaptkit.labelled.reading_options import columns_of
from adaptkit.requests.written import parallels


def translate_words(
    data: Annotated[Path, typer.Argument(help="file of labelled examples", metavar="<file>")],
    parallel: WordsOption,
    lang: Annotated[str, typer.Option(help="language to translate into")],
    output: Annotated[Path, typer.Option(help="file for the examples, in JSON lines (.jsonl)")],
    source_lang: Annotated[str, typer.Option(help="language of examples and translations that do not say theirs")] = (
        "en"
    ),
    least_score: Annotated[
        float, typer.Option(help="how surely two words go together at least, from 0 to 1")
    ] = LEAST_WORD_SCORE,
    task_type: Annotated[str | None, typer.Option(help="task type (default: recognised from the columns)")] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(help="ROLE=NAME, where a column's name is not recognised", metavar="<role=name>"),
    ] = None,
    lexicon: LexiconOption = None,  # noqa: ARG001 - it is refused as it is read
    overwrite: OverwriteFileOption = False,
) -> Answer:
    """Translate labelled examples word by word. Train a task on them beside the originals."""
    from adaptkit.projection import translate_words as translated_by
    from adaptkit.projection.written import require_json_lines, require_new

    require_json_lines(output)
    require_new(output, overwrite=overwrite)
    found = translated_by(
        data,
        parallel=parallels(parallel),
        lang=lang,
        source_lang=source_lang,
        least_score=least_score,
        task_type=task_type,
        columns=columns_of(columns or []),
    )
    found.save(output, overwrite=overwrite)
    facts = {"examples": len(found.data.examples), "known": found.known, "file": str(output), "summary": str(found)}
    left_out = [f"{count:,} left out: {reason}" for reason, count in found.data.dropped.items()]
    return Answer(facts, "\n".join([str(found), *left_out, *found.data.notes, f"saved in {output}"]), confirms=True)
