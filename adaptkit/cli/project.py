"""`adaptkit project`."""

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
from adaptkit.config import LEAST_CONFIDENCE, LEAST_COSINE, SHARE_WITHOUT
from adaptkit.holding import AUTO, require_bits
from adaptkit.requests import Pretrained
from adaptkit.requests.written import parallels


def project(
    parallel: SentencesOption,
    lang: Annotated[str, typer.Option(help="language of the sentences")],
    names: Annotated[Path, typer.Option(help="folder of a task adapter that finds entities in the translations")],
    output: Annotated[Path, typer.Option(help="file for the labelled sentences, in the CoNLL layout")],
    source_lang: Annotated[
        str | None, typer.Option(help="language of the translations, where the file has several")
    ] = None,
    least_confidence: Annotated[
        float, typer.Option(help="least confidence in an entity, between 0 and 1")
    ] = LEAST_CONFIDENCE,
    least_cosine: Annotated[
        float, typer.Option(help="least cosine from which nearest words are linked")
    ] = LEAST_COSINE,
    share_without: Annotated[float, typer.Option(help="largest share of sentences without an entity")] = SHARE_WITHOUT,
    small_letters: Annotated[
        bool, typer.Option("--small-letters", help="keep entities without a capital letter, such as dates")
    ] = False,
    gazetteer: Annotated[
        Path | None, typer.Option(help="folder of CLDR's names of countries and languages (npm: cldr-localenames-full)")
    ] = None,
    limit: PairsOption = None,
    overwrite: OverwriteFileOption = False,
    backbone: BackboneOption = None,
    bits: BitsOption = 32,
    embeddings: EmbeddingsOption = None,
    device: DeviceOption = AUTO,
    batch_size: BatchOption = 32,
) -> Answer:
    """Label named entities through translations. A task adapter finds them in the translations."""
    from adaptkit.projection import project_entities
    from adaptkit.projection.written import require_conll, require_new
    from adaptkit.recipes.place import model_of

    require_conll(output)
    require_new(output, overwrite=overwrite)
    found = project_entities(
        parallel=parallels(parallel),
        lang=lang,
        names=names,
        backbone=model_of(Pretrained(backbone, bits=require_bits(bits), embeddings=embeddings, device=device)),
        source_lang=source_lang,
        least_confidence=least_confidence,
        least_cosine=least_cosine,
        share_without=share_without,
        small_letters=small_letters,
        gazetteer=gazetteer,
        limit=limit,
        batch_size=batch_size,
    )
    found.save(output, overwrite=overwrite)
    facts = {"sentences": len(found.sentences), "file": str(output), "summary": str(found)}
    return Answer(facts, f"{found}\nsaved in {output}", confirms=True)
