"""`adaptkit train` and `adaptkit estimate`."""

from collections.abc import Callable

from adaptkit.cli.answer import Answer
from adaptkit.cli.options import request_options
from adaptkit.cli.plan import estimate_plan_command, or_plan, train_plan_command
from adaptkit.options import options_of
from adaptkit.requests import AnyRequest, Output
from adaptkit.requests.announced import announce
from adaptkit.terminal.amounts import bytes_text
from adaptkit.terminal.launched import process_index

OF_WHAT_IS_WRITTEN = options_of(Output).keys() - {"licence", "private"} | {"progress", "log_with"}


def train_command(request: AnyRequest) -> Answer | None:
    """Train a language, domain or task adapter and save it."""
    announce(request)
    from adaptkit.recipes.train import train

    adapter = train(request)
    if process_index():
        return None
    lines, facts = [], adapter.card.training
    if facts is not None:
        lines.append(
            f"{adapter.id}: held-out {facts.heldout_measure} {facts.heldout_loss_before:.3f} before, "
            f"{facts.heldout_loss_after:.3f} after; {facts.speed}, "
            f"peak memory {facts.peak_memory_bytes / 2**30:.1f} GiB"
        )
        lines += [facts.scored] if facts.scored else []
        lines += [f"the adapter {facts.without_gain}"] if facts.without_gain else []
    if request.output.folder is None:
        lines.append("nothing was saved: give --output FOLDER to keep the adapter")
    else:
        lines.append(f"saved in {request.output.folder} ({bytes_text(adapter.size_bytes)})")
    told = {"id": adapter.id, "folder": _text(request.output.folder), "size_bytes": adapter.size_bytes}
    return Answer({**told, "training": facts}, "\n".join(lines), confirms=request.output.folder is not None)


def estimate_command(request: AnyRequest) -> Answer:
    """Look at the text and predict time, memory and size. Trains nothing."""
    announce(request)
    from adaptkit.recipes.train import estimate
    from adaptkit.training import open_display

    with open_display(shown=not process_index()) as display:
        found = estimate(request, display)
    return Answer({name: value for name, value in vars(found).items() if name != "triage"}, str(found))


def _text(path: object) -> str | None:
    return None if path is None else str(path)


def train_flags() -> Callable[..., Answer | None]:
    """`train_command`, with a flag for each option."""
    return or_plan(request_options(train_command), train_plan_command)


def estimate_flags() -> Callable[..., Answer | None]:
    """`estimate_command`, with a flag for each option but those of what is written."""
    return or_plan(request_options(estimate_command, left_out=OF_WHAT_IS_WRITTEN), estimate_plan_command)
