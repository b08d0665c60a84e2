"""`adaptkit project-tags`."""

from pathlib import Path
from typing import Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import (
    BackboneOption,
    BatchOption,
    BitsOption,
    DeviceOption,
    EmbeddingsOption,
    OverwriteFileOption,
    PairsOption,
    SentencesOption,
)
from adaptkit.config import LEAST_LINK_SCORE, MOST_TAGGED_SENTENCES
from adaptkit.holding import AUTO, require_bits
from adaptkit.requests import Pretrained
from adaptkit.requests.written import parallels


def project_tags(
    parallel: SentencesOption,
    lang: Annotated[str, typer.Option(help="language of the sentences")],
    tagger: Annotated[Path, typer.Option(help="folder of a task adapter for parts of speech in the source language")],
    output: Annotated[Path, typer.Option(help="file for the tagged sentences, in the CoNLL layout")],
    source_lang: Annotated[str, typer.Option(help="language that the tagger was trained in")] = "en",
    least_score: Annotated[
        float, typer.Option(help="how surely two words go together at least, from 0 to 1")
    ] = LEAST_LINK_SCORE,
    sentences: Annotated[int, typer.Option(help="how many sentences are kept at most")] = MOST_TAGGED_SENTENCES,
    limit: PairsOption = None,
    overwrite: OverwriteFileOption = False,
    backbone: BackboneOption = None,
    bits: BitsOption = 32,
    embeddings: EmbeddingsOption = None,
    device: DeviceOption = AUTO,
    batch_size: BatchOption = 32,
) -> Answer:
    """Tag parts of speech through translations. A task adapter tags the translations."""
    from adaptkit.projection import project_tags as projected_by
    from adaptkit.projection.written import require_conll, require_new
    from adaptkit.recipes.place import model_of

    require_conll(output)
    require_new(output, overwrite=overwrite)
    found = projected_by(
        parallel=parallels(parallel),
        lang=lang,
        tagger=tagger,
        backbone=model_of(Pretrained(backbone, bits=require_bits(bits), embeddings=embeddings, device=device)),
        source_lang=source_lang,
        least_score=least_score,
        sentences=sentences,
        limit=limit,
        batch_size=batch_size,
    )
    found.save(output, overwrite=overwrite)
    facts = {"sentences": len(found.sentences), "tagged": found.share, "file": str(output), "summary": str(found)}
    return Answer(facts, f"{found}\nsaved in {output}", confirms=True)
