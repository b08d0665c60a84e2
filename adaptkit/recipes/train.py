"""The public verbs: `train_adapter` and `estimate_adapter`."""

import os
from contextlib import closing

from adaptkit.config import Scaling, SiteName
from adaptkit.data.corpus import TextSource
from adaptkit.data.parallel import ParallelSource
from adaptkit.model import AdaptedModel
from adaptkit.recipes.language import Estimate, LanguageTraining
from adaptkit.recipes.request import MethodName, ObjectiveName, TrainingRequest
from adaptkit.storage import Adapter
from adaptkit.training import open_display
from adaptkit.training.settings import Precision


def train_adapter(
    *,
    lang: str,
    text: "TextSource | None" = None,
    parallel: "ParallelSource | None" = None,
    source_lang: str | None = None,
    column: str | None = None,
    objective: ObjectiveName = "auto",
    method: MethodName = "lora",
    rank: int | None = None,
    alpha: float | None = None,
    scaling: Scaling = "standard",
    dropout: float = 0.0,
    reduction_factor: int | None = None,
    invertible: bool = False,
    sites: tuple[SiteName, ...] | None = None,
    blocks: tuple[int, ...] | None = None,
    backbone: str | AdaptedModel | None = None,
    batch_size: int = 32,
    max_steps: int | None = None,
    learning_rate: float | None = None,
    max_length: int = 128,
    max_tokens: int | None = 20_000_000,
    whole_words: bool = False,
    full_vocabulary: bool = False,
    anchor: float = 20.0,
    head_warmup: int | None = None,
    seed: int = 0,
    precision: Precision = "auto",
    device: str = "cpu",
    gradient_checkpointing: bool = False,
    output: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    resume: bool = False,
    force: bool = False,
    private: bool = False,
    licence: str = "not stated",
    progress: bool = True,
) -> Adapter:
    """Train a language adapter; what each option means stands at `TrainingRequest` and in docs/how-to/train.md.

    With `parallel`, the sentences are drawn to the frozen backbone's vectors of their translations (distill). With
    `text`, masked tokens are predicted (mlm). With neither, Wikipedia is streamed from the hub, or the package's own
    small sample is taken where no hub answers; that is said first.

    Raises:
        ConfigError: Options that cannot be right; `UnknownLanguage` for `lang`.
        DataError: Text that is not there, is malformed, or that the tokenizer cannot represent.
        BackboneError: A backbone that cannot be loaded.
        TrainingInterrupted: Ctrl-C; with `output`, the same call with `resume=True` goes on.
        DivergedTraining: The loss is no finite number any more.
    """
    return train(TrainingRequest(**locals()))


def train(request: TrainingRequest) -> Adapter:
    """`train_adapter` for a request."""
    with open_display(shown=request.progress) as display, closing(LanguageTraining(request, display)) as training:
        if request.progress:
            for line in describe(training, training.estimate()):
                display.note(line)
            if request.output is None:
                display.note("no output folder: the adapter is not saved, and the run cannot be resumed")
        return training.train()


def estimate_adapter(request: TrainingRequest) -> Estimate:
    """What `train_adapter` would cost here: triage, time, peak memory, size. Trains and writes nothing.

    Raises:
        AdaptkitError: What `train_adapter` would raise before it starts.
    """
    with open_display(shown=request.progress) as display, closing(LanguageTraining(request, display)) as training:
        estimate = training.estimate()
        for line in describe(training, estimate):
            display.note(line)
        return estimate


def describe(training: LanguageTraining, estimate: Estimate) -> list[str]:
    """The plan of a run in a few lines."""
    source, request, found = training.source, training.request, estimate.triage
    lines = [
        f"{training.id} ({request.method}, {estimate.adapter_bytes / 2**20:.1f} MiB) on {training.model.backbone.name}",
        f"text: {source.description}, {estimate.n_sentences:,} sentences",
        f"triage: {found.tokens:,} tokens, {found.tokens_per_word:.1f} a word, {found.unknown_share:.1%} unknown",
        *(f"triage: {problem}" for problem in found.problems()),
        f"objective: {source.objective}, because {source.reason}"
        if request.objective == "auto"
        else f"objective: {source.objective}",
        f"cost: {estimate.n_steps:,} steps of {request.batch_size} sentences "
        f"({training.data.sentences.n_tokens:,} tokens an epoch with prefix and special tokens), about "
        f"{_minutes(estimate.elapsed_s)}, peak memory about {estimate.peak_memory_bytes / 2**30:.1f} GiB "
        "(both measured on a few batches)",
    ]
    if source.kind == "sample":
        lines.append("this is the small sample that comes with adaptkit: good for a trial, not for real use")
    return lines


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
