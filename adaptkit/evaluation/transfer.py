"""Did the language adapter help? One task in many languages, with and without it, the same examples each time."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Never

from adaptkit.backbones.precision import uses_bfloat16
from adaptkit.data.corpus import TextSource
from adaptkit.data.letters import NormalForm, check_form
from adaptkit.evaluation.cell_progress import open_progress
from adaptkit.evaluation.conditions import Adapters, LanguageAdapters, check_conditions, gathered, need_languages
from adaptkit.evaluation.given import (
    RETRIEVAL,
    AdapterLike,
    TestData,
    adapter_given,
    given_adapters,
    language_adapters,
    language_of,
    listed,
    pairs_given,
    read_given,
    refuse_for_retrieval,
    task_adapters,
    texts_by_name,
)
from adaptkit.evaluation.head_answers import HeadAnswers
from adaptkit.evaluation.matrix import Matrix
from adaptkit.evaluation.measured import Kept
from adaptkit.evaluation.named_stack import NamedStack
from adaptkit.evaluation.report import save_report, spoken
from adaptkit.evaluation.report.html import render_html
from adaptkit.evaluation.results import Condition, TransferResults
from adaptkit.evaluation.retrieval import Retrieval
from adaptkit.evaluation.subject import Subject
from adaptkit.evaluation.turned import require_turnable
from adaptkit.labelled import ReadingOptions
from adaptkit.languages import canonical_tag
from adaptkit.model import AdaptedModel
from adaptkit.model.ensembles import AnsweredBy
from adaptkit.requests import Measuring, Selection
from adaptkit.requests.refusals import refuse_misplaced


@dataclass(frozen=True, repr=False)
class TransferReport:
    """The results, and the report that shows them."""

    results: TransferResults

    def __str__(self) -> str:
        """What changed in a sentence, a table of all languages and conditions, and what weakens them."""
        return spoken(self.results)

    def __repr__(self) -> str:
        """The same, so that a notebook or a prompt shows what changed; the values are in `results`."""
        return f"<TransferReport on {self.results.task}>\n{self}"

    def _repr_html_(self) -> str:
        """What a notebook shows: the page of the report, in a frame of its own that loads and runs nothing."""
        page = escape(render_html(self.results))
        return f'<iframe sandbox srcdoc="{page}" width="100%" height="700" style="border: 0"></iframe>'

    def save(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write report.html, report.md, results.json, results.csv and plots.

        Raises:
            ConfigError: Something else is at that place.
        """
        return save_report(self.results, Path(folder), overwrite=overwrite)


def evaluate(
    model: AdaptedModel,
    *,
    task: str,
    adapter: AdapterLike | Sequence[AdapterLike] | None = None,
    languages: str | Sequence[str],
    compare: str | Sequence[str] = ("none", "source", "target"),
    stack: AnsweredBy = None,
    data: TestData = None,
    zoo: Adapters | None = None,
    domain: AdapterLike | Sequence[AdapterLike] = (),
    source_language: str | None = None,
    seeds: int | None = None,
    normalize: NormalForm | None = None,
    training_text: "Mapping[str, TextSource] | Sequence[str | os.PathLike[str]]" = (),
    reading: ReadingOptions | None = None,
    selection: Selection | None = None,
    measuring: Measuring | None = None,
    **misplaced: Never,
) -> TransferReport:
    """Score a task adapter in several languages under each condition, and say where a language adapter helped.

    The task `retrieval` needs none: each sentence is to find its translation among those of all by its vector, and each
    translation its sentence (recall at 1 and 5, MRR). Its `data` is a folder with a file of text for each language,
    parallel by line, or pairs by language, as `parallel` of `train_adapter` takes them.

    Args:
        model: the backbone; the adapters are attached for the time of the evaluation where they are not yet.
        task: a benchmark of `adaptkit.TASKS`, `retrieval`, or any name where `data` maps languages to examples.
        adapter: the task adapter (`retrieval` has none), or several that differ in their training seed only; values,
            folders or attached ids.
        languages: test languages, in a list or with commas between.
        compare: conditions: `none`, `source`, `target`, `relative`; `none` is always measured.
        stack: a stack or an ensemble that is measured too, as `predict` takes it, in every language. It names adapters
            that are given here (`adapter`, `domain`, `zoo`) or that the model has, and its answers are set beside those
            of `adapter` alone.
        data: folder or hub id of the benchmark (None: the hub), or what `read_labelled` reads or gives, by language.
        zoo: language adapters, and others that `stack` names: a zoo (a folder or archive of adapters), or a list of
            adapters, folders and zoos, where an adapter comes before what the zoos have of its language. None: those
            attached to the model. Only a list has glossaries below a task type that they hurt.
        domain: domain adapters that lie between language and task adapter in every stack.
        source_language: the language that the task was trained in; None where the adapter says it. Of `retrieval`, the
            language of the translations (None: English).
        seeds: how many task adapters are expected; a report on fewer is refused.
        normalize: form in which all test texts are read (NFC, NFD, NFKC, NFKD); None: as they are.
        training_text: files that adapters were trained on, or text by a name; test sentences in it are reported.
        reading: how test data of one's own is read.
        selection: which of the examples count: the split, the first so many, a group.
        measuring: batches, precision, the longest answer; where finished measurements are kept; progress.
        misplaced: what stands in one of these values is refused with its place.

    Raises:
        ConfigError: Options that cannot be right, or an ensemble whose answers have no mean.
        UnknownAdapter, AmbiguousAdapter, NoHead: A stack that names no adapter, or ends in no task adapter.
        DataError: Test data that is not there or malformed.
        CompatibilityError: An adapter that is not for this backbone.
    """
    asked = locals()
    refuse_misplaced(asked.pop("misplaced"), asked, _OWNERS)
    check_form(normalize)
    chosen, how, domains = selection or Selection(), measuring or Measuring(), given_adapters(model, domain)
    conditions, adapters = check_conditions(listed(compare), names_stack=stack is not None), gathered(zoo)
    subject: Subject
    if task == RETRIEVAL:
        refuse_for_retrieval(
            adapter=adapter, seeds=seeds, stack=stack, reading=reading, selection=chosen, measuring=how
        )
        source = canonical_tag(source_language or "en")
        subject = Retrieval(
            model=model,
            source=source,
            domains=domains,
            data=pairs_given(data),
            limit=chosen.limit,
            batch_size=how.batch_size,
            normalize=normalize,
        )
    else:
        tasks = task_adapters(model, adapter_given(adapter, task, names_stack=stack is not None), seeds=seeds)
        source = language_of(tasks[0], source_language)
        if how.examples:
            require_turnable(model, tasks[0], explain=how.explain)
        named = None if stack is None else NamedStack.of(model, stack, task=tasks[0], domains=domains, zoo=adapters)
        if how.explain and named is not None:
            named.require_explainable()
        subject = HeadAnswers(
            model=model,
            task=task,
            tasks=tasks,
            domains=domains,
            data=read_given(data, reading or ReadingOptions(), tasks[0].config.head),
            selection=chosen,
            measuring=how,
            normalize=normalize,
            named=named,
        )
    matrix = Matrix(
        model=model,
        subject=subject,
        task=task,
        languages=tuple(dict.fromkeys(map(canonical_tag, listed(languages)))),
        conditions=conditions,
        zoo=_languages(model, adapters, subject, conditions),
        source=source,
        limit=chosen.limit,
        batch_size=how.batch_size,
        kept=Kept(None if how.keep is None else Path(how.keep)),
        progress=open_progress(shown=how.progress),
        bf16=uses_bfloat16(how.precision, model.backbone.device),
    )
    return TransferReport(matrix.run(texts_by_name(training_text)))


def _languages(
    model: AdaptedModel, zoo: Adapters | None, subject: Subject, conditions: Sequence[Condition]
) -> LanguageAdapters:
    """What lies below; nothing where a named stack has all that is needed."""
    if subject.named is not None:
        if not need_languages(conditions):
            return LanguageAdapters(())
        zoo = subject.named.beside(zoo)
    return language_adapters(model, zoo, reads_glosses=subject.reads_glosses)


_OWNERS = (("reading", ReadingOptions), ("selection", Selection), ("measuring", Measuring))
