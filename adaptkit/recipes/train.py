"""The public verbs: `train_adapter` and `estimate_adapter`."""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing

from adaptkit.config import Precision, Scaling, SiteName
from adaptkit.data.corpus import TextSource
from adaptkit.data.letters import NormalForm
from adaptkit.data.parallel import ParallelSource, PathOrName
from adaptkit.data.tasks import TaskData
from adaptkit.holding import AUTO, Bits
from adaptkit.labelled import LabelledSource
from adaptkit.model import AdaptedModel
from adaptkit.recipes.estimate import Estimate
from adaptkit.recipes.place import check_output, output_taken, processes_of
from adaptkit.recipes.request import MethodName, ObjectiveName, TrainingRequest
from adaptkit.recipes.task import TaskTraining
from adaptkit.recipes.text import TextTraining
from adaptkit.storage import Adapter
from adaptkit.terminal.console import PlainConsole
from adaptkit.training import Display, open_display


def train_adapter(
    *,
    lang: str | None = None,
    domain: str | None = None,
    task: str | None = None,
    on: "Adapter | PathOrName | Sequence[Adapter | PathOrName]" = (),
    data: "LabelledSource | TaskData | Mapping[str, LabelledSource | TaskData] | None" = None,
    task_type: str | None = None,
    columns: Mapping[str, str] | None = None,
    labels: Sequence[str] = (),
    nli: bool | None = None,
    score_range: tuple[float, float] = (0.0, 1.0),
    quoted: bool | None = None,
    drop_top_layer: bool = False,
    sampling_alpha: float = 0.3,
    text: "TextSource | None" = None,
    parallel: "ParallelSource | None" = None,
    source_lang: str | None = None,
    source_share: float = 0.3,
    inner_weight: float = 0.5,
    pair_share: float = 0.5,
    token_anchor: float = 0.5,
    column: str | None = None,
    normalize: NormalForm | None = None,
    max_answer_tokens: int | None = None,
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
    bits: Bits = 32,
    embeddings: str | None = None,
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
    device: str = AUTO,
    gradient_checkpointing: bool = False,
    output: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    resume: bool = False,
    resume_or_start: bool = False,
    checkpoint_every: int = 200,
    checkpoint_minutes: float = 10.0,
    force: bool = False,
    private: bool = False,
    licence: str = "not stated",
    progress: bool = True,
) -> Adapter:
    """Train an adapter; what each option means stands at `TrainingRequest` and in docs/how-to/train.md.

    `lang` alone gives a language adapter, `domain` a domain adapter on text in `lang`, `task` a task adapter with its
    head on labelled `data`. `on` names frozen adapters to train on top of; of several language adapters, each batch of
    a task has that of its own language below.

    Language and domain adapters: with `parallel`, the sentences are drawn to the frozen backbone's vectors of their
    translations (distill). With `text`, masked tokens are predicted (mlm). With neither, Wikipedia is streamed from the
    hub, or the package's own small sample is taken where no hub answers; that is said first.

    Raises:
        ConfigError: Options that cannot be right; `UnknownLanguage` for `lang`.
        DataError: Text that is not there, is malformed, or that the tokenizer cannot represent.
        BackboneError: A backbone that cannot be loaded.
        TrainingInterrupted: Ctrl-C or SIGTERM; with `output`, the same call with `resume=True` goes on.
        ProcessFailed: Of several processes that train together, another one cannot go on.
        CannotWrite: The adapter cannot be saved, as on a full disk; it says where the last checkpoint is.
        CheckpointError: There is nothing to resume, or another run's checkpoint.
        DivergedTraining: The loss is no finite number any more.
    """
    return train(TrainingRequest(**locals()))


def train(request: TrainingRequest) -> Adapter:
    """`train_adapter` for a request."""
    processes = processes_of(request)
    with open_display(shown=request.progress and processes.is_main) as display, ExitStack() as until_trained:
        with processes.together():
            if processes.is_main:
                until_trained.enter_context(output_taken(request))
            training = until_trained.enter_context(closing(_training_of(request, display)))
        if request.progress:
            for line in training.describe(training.estimate()):
                display.note(line)
            if request.output is None:
                display.note("no output folder: the adapter is not saved, and the run cannot be resumed")
        return training.train()


def estimate_adapter(request: TrainingRequest) -> Estimate:
    """What `train_adapter` would cost here: triage, time, peak memory, size; printed too. Trains and writes nothing.

    Raises:
        AdaptkitError: What `train_adapter` would raise before it starts.
    """
    # On standard output: here these lines are the result.
    out, processes = PlainConsole(), processes_of(request)
    shown = request.progress and processes.is_main
    with open_display(shown=shown, console=out) as display, ExitStack() as until_measured:
        with processes.together():
            if processes.is_main:
                check_output(request)
            training = until_measured.enter_context(closing(_training_of(request, display)))
        estimate = training.estimate()
        for line in training.describe(estimate):
            display.note(line)
        return estimate


def _training_of(request: TrainingRequest, display: Display) -> TextTraining | TaskTraining:
    return TaskTraining(request, display) if request.kind == "task" else TextTraining(request, display)
