"""`transfer_task`: one call from labels in one language to answers in another."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError
from adaptkit.labelled import LabelledSource, ReadingOptions
from adaptkit.languages import canonical_tag
from adaptkit.requests import Planning, Pretrained
from adaptkit.requests.output import PathOrName
from adaptkit.storage import Adapter, load_adapter
from adaptkit.terminal.asking import as_typed
from adaptkit.transfers.measuring import Measuring
from adaptkit.transfers.plan_text import brought_by, first_line
from adaptkit.transfers.prepared import Prepared
from adaptkit.transfers.run import PLAN, TransferRun
from adaptkit.transfers.transferred import RESULT, TransferredTask, was_measured
from adaptkit.transfers.ways import Ways

_LEAST_KNOWN = 0.1
"""Share of the words of the examples. With 38 % of them words alone helped; with a few the examples stay English."""


def transfer_task(
    *,
    task: str,
    data: "LabelledSource | TaskData",
    lang: str,
    parallel: PathOrName | Sequence[PathOrName],
    output: PathOrName,
    dev: "LabelledSource | TaskData | None" = None,
    adapter: PathOrName | None = None,
    source_lang: str = "en",
    task_type: str | None = None,
    reading: ReadingOptions | None = None,
    max_steps: int | None = None,
    task_steps: int | None = None,
    licence: str | None = None,
    backbone: PathOrName | Pretrained | None = None,
    planning: Planning | None = None,
) -> TransferredTask:
    """Bring a task from the language of its labels to another one, with all that was measured to help.

    From `parallel` a glossary and a language adapter are trained, and the labelled examples get their words translated;
    then heads for each, and their answers are put together. Which of these a kind of task gets is told by
    docs/how-to/transfer.md, with what it brought. With `dev`, some labelled examples in the language, every way is
    measured, also that of the labels alone, and the usual one is left only for one that is surely better.

    All trainings are a plan in `output`, `transfer.toml`, each in a process of its own. After an interruption, the same
    call goes on; what is done is left as it is.

    Args:
        task: the name of the task.
        data: labelled examples, as `read_labelled` reads them, or gives.
        lang: the language to bring it to.
        parallel: sentences in that language with translations, each file as `adaptkit train --parallel` takes it. Words
            and names alone will do for some tasks: a dictionary, a folder of CLDR's names.
        output: the folder for all adapters, the plan, and `transfer.json`. It is a zoo.
        dev: labelled examples in `lang`, to choose by and to measure on. Nothing trains on them.
        adapter: the folder of a language adapter with layers that is there already; it is copied into `output`.
        source_lang: the language of the labelled examples.
        task_type: else it is recognised from the columns.
        reading: how labelled files are read.
        max_steps: steps of the language adapter (None: the usual number); refused where none is trained.
        task_steps: steps of each task adapter.
        licence: of the parallel text, for the cards.
        backbone: a hub id or folder, or `Pretrained(...)`, which says how it is held too.
        planning: how many trainings run at a time, whether what is there is replaced, progress.

    Raises:
        ConfigError: Options that cannot be right, pairs that are surely swapped, a folder that holds something else, or
            adapters of other options.
        DataError: Examples or parallel text that are not there or malformed.
        TrainingInterrupted: Ctrl-C or SIGTERM; the same call goes on.
        TrainingError: A training failed; it says which, and where its log is.
    """
    place, planned = Path(output), planning or Planning()
    if planned.only or planned.part:
        raise ConfigError("a transfer trains all of its plan; leave out only and part.")
    held = Pretrained(backbone) if isinstance(backbone, str | os.PathLike) else backbone or Pretrained()
    if not isinstance(held, Pretrained):
        raise ConfigError(
            f"{as_typed(backbone=...)} of a transfer is a hub id, a folder or adaptkit.Pretrained(...), for each "
            f"training loads it in a process of its own; found {held!r:.80}."
        )
    given = None if adapter is None else _of_language(adapter, lang)
    started = Prepared.of(
        task=task,
        data=data,
        dev=dev,
        lang=lang,
        source_lang=source_lang,
        parallel=parallel,
        task_type=task_type,
        reading=reading or ReadingOptions(),
    )
    ways = started.ways
    if given is not None:
        ways = replace(ways, trained=given.id, reads_pieces=given.config.pieces is not None)
    _require_some_way(started, ways)
    _require_own(place, first_line(ways))
    if given is not None:
        _require_no_other(given, place / given.id, overwrite=planned.overwrite)
    run = TransferRun(
        prepared=started.with_ways(ways),
        place=place,
        backbone=held,
        planning=planned,
        licence=licence,
        language_options={"max_steps": max_steps},
        task_options={"max_steps": task_steps},
    )
    if max_steps is not None and not run.trains_layers:
        raise ConfigError(
            f"{as_typed(max_steps=max_steps)} is of a language adapter, and here none is trained; leave it out. "
            f"Steps of task adapters are {as_typed(task_steps=...)}."
        )
    run.require_same()
    run.write()
    if given is not None:
        given.save(place / given.id, overwrite=True)
    run = run.with_projected()
    run.train()
    found = Measuring(run.prepared, place, run.chosen, run.backbone).result()
    if not found.metric and was_measured(place) and not planned.overwrite:
        return replace(found, notes=(*found.notes, f"{place / RESULT} stays as it was measured before"))
    found.save()
    return found


def _require_some_way(started: Prepared, ways: Ways) -> None:
    """See that there is something to train besides the labels alone."""
    translated = started.translated
    if ways.has_adapter or (translated is not None and translated.known >= _LEAST_KNOWN):
        return
    why = f"of which {ways.head.row.in_words} gain nothing"
    if not ways.head.pairs:
        notes = "; ".join(note.removesuffix(".") for note in started.notes)
        why = (
            f"and of so few nothing can be learned: {notes}. See that the examples are in {started.source}, that a "
            f"dictionary has {started.source} first, and that a folder of names has {ways.language}; or add another one"
        )
    raise ConfigError(
        f"{as_typed(parallel=...)} has words and names, no sentences, {why}. Give sentences with translations, or an "
        f"adapter that is there ({as_typed(adapter=...)})."
    )


def _require_own(place: Path, begins: str) -> None:
    """See that a folder holds what the same transfer wrote, whose plan `begins` so, or nothing."""
    if place.exists() and not place.is_dir():
        raise ConfigError(f"{place} is a file; name another {as_typed(output=...)}.")
    plan = place / PLAN
    if plan.is_file():
        found = plan.read_text(encoding="utf-8").partition("\n")[0]
        if found != begins:
            there = brought_by(found)
            raise ConfigError(
                f"{place} holds {f'a transfer of {there}' if there else f'a {PLAN} that no transfer has written'}, and "
                f"asked for is {brought_by(begins)}. Name another {as_typed(output=...)}; {as_typed(adapter=...)} "
                "takes a language adapter from there."
            )
    elif place.is_dir() and any(place.iterdir()):
        raise ConfigError(f"{place} holds something that no transfer has written; name another {as_typed(output=...)}.")


def _of_language(folder: PathOrName, lang: str) -> Adapter:
    """The language adapter that is there already.

    Raises:
        ConfigError: It is not for the language, or has no layers.
        AdapterFileError: The folder is no sound adapter.
    """
    adapter, language = load_adapter(folder), canonical_tag(lang)
    if adapter.kind != "language" or language not in adapter.languages or adapter.config.reading.glossary:
        raise ConfigError(
            f"{as_typed(adapter=str(folder))} is {adapter.id}; give an adapter with layers that was trained for "
            f"{language}."
        )
    return adapter


def _require_no_other(adapter: Adapter, folder: Path, *, overwrite: bool) -> None:
    """See that no other adapter is where one is to be copied."""
    if folder.exists() and not overwrite and load_adapter(folder).weights_sha256 != adapter.weights_sha256:
        raise ConfigError(
            f"{folder} is another adapter than {as_typed(adapter=...)}. {as_typed(overwrite=True)} replaces it, and "
            "what was trained on it."
        )
