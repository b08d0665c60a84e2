"""Did the language adapter help? One task in many languages, with and without it, the same examples each time."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adaptkit.backbones.precision import uses_bfloat16
from adaptkit.config import Precision
from adaptkit.data.corpus import TextSource
from adaptkit.data.letters import NormalForm, check_form
from adaptkit.errors import ConfigError
from adaptkit.evaluation.cell_progress import open_progress
from adaptkit.evaluation.conditions import Adapters, check_conditions
from adaptkit.evaluation.given import (
    AdapterLike,
    TestData,
    given_adapters,
    language_adapters,
    language_of,
    listed,
    read_given,
    task_adapters,
    texts_by_name,
)
from adaptkit.evaluation.matrix import Matrix
from adaptkit.evaluation.measured import Kept
from adaptkit.evaluation.report import save_report
from adaptkit.evaluation.results import TransferResults
from adaptkit.labelled import ReadingOptions
from adaptkit.languages import canonical_tag
from adaptkit.model import AdaptedModel


@dataclass(frozen=True)
class TransferReport:
    """The results, and the report that shows them."""

    results: TransferResults

    def save(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write report.html, report.md, results.json and plots.

        Raises:
            ConfigError: Something else is at that place.
        """
        return save_report(self.results, Path(folder), overwrite=overwrite)


def evaluate(
    model: AdaptedModel,
    *,
    task: str,
    adapter: AdapterLike | Sequence[AdapterLike],
    languages: str | Sequence[str],
    compare: str | Sequence[str] = ("none", "source", "target"),
    data: TestData = None,
    zoo: Adapters | None = None,
    domain: AdapterLike | Sequence[AdapterLike] = (),
    source_language: str | None = None,
    seeds: int | None = None,
    split: str = "test",
    limit: int | None = None,
    group: str | None = None,
    normalize: NormalForm | None = None,
    max_answer_tokens: int | None = None,
    columns: Mapping[str, str] | None = None,
    labels: Sequence[str] = (),
    nli: bool | None = None,
    score_range: tuple[float, float] = (0.0, 1.0),
    quoted: bool | None = None,
    training_text: "Mapping[str, TextSource] | Sequence[str | os.PathLike[str]]" = (),
    keep: str | os.PathLike[str] | None = None,
    batch_size: int = 32,
    precision: Precision = "auto",
    progress: bool = True,
) -> TransferReport:
    """Score a task adapter in several languages under each condition, and say where a language adapter helped.

    Args:
        model: the backbone; the adapters are attached for the time of the evaluation where they are not yet.
        task: a benchmark of `adaptkit.TASKS`, or any name where `data` maps languages to examples.
        adapter: the task adapter, or several that differ in their training seed only; values, folders or attached ids.
        languages: test languages, in a list or with commas between.
        compare: conditions: `none`, `source`, `target`, `relative`; `none` is always measured.
        data: folder or hub id of the benchmark (None: the hub), or by language what `read_labelled` reads (files,
            examples) or gives.
        zoo: language adapters: a zoo (a folder or archive of adapters) or a list. None: those attached to the model.
        domain: domain adapters that lie between language and task adapter in every stack.
        source_language: the language that the task was trained in; None where the adapter says it.
        seeds: how many task adapters are expected; a report on fewer is refused.
        split: of the benchmark.
        limit: the first so many examples of each language, for a quick look; the report says so.
        group: only examples of this group (an XNLI genre).
        normalize: form in which all test texts are read (NFC, NFD, NFKC, NFKD); None: as they are.
        max_answer_tokens: for question answering, tokens of the longest answer, in place of the head's own bound.
        columns: for data of one's own, the column of each role, as in `read_labelled`; so the next four.
        labels: the labels, none other may occur.
        nli: labels are those of inference, numbers included.
        score_range: lowest and highest score of similarity.
        quoted: cells of a TSV are quoted as in CSV.
        training_text: files that adapters were trained on, or text by a name; test sentences in it are reported.
        keep: a folder for finished measurements, so that an interrupted evaluation goes on.
        batch_size: examples in a batch.
        precision: bf16, fp32, or auto: bf16 where the hardware has it.
        progress: show progress.

    Raises:
        ConfigError: Options that cannot be right.
        DataError: Test data that is not there or malformed.
        CompatibilityError: An adapter that is not for this backbone.
    """
    check_form(normalize)
    reading = ReadingOptions(
        columns=columns or {}, labels=tuple(labels), nli=nli, score_range=score_range, quoted=quoted
    )
    tasks = task_adapters(model, adapter, seeds=seeds)
    if limit is not None and limit < 1:
        raise ConfigError(f"limit must be at least 1, found {limit}.")
    matrix = Matrix(
        model=model,
        task=task,
        tasks=tasks,
        languages=tuple(dict.fromkeys(map(canonical_tag, listed(languages)))),
        conditions=check_conditions(listed(compare)),
        zoo=language_adapters(model, zoo),
        domains=given_adapters(model, domain),
        source=language_of(tasks[0], source_language),
        data=read_given(data, reading),
        split=split,
        limit=limit,
        group=group,
        kept=Kept(None if keep is None else Path(keep)),
        progress=open_progress(shown=progress),
        batch_size=batch_size,
        normalize=normalize,
        max_answer_tokens=max_answer_tokens,
        bf16=uses_bfloat16(precision, model.backbone.device),
    )
    return TransferReport(matrix.run(texts_by_name(training_text)))
