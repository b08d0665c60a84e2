"""What a training says at once: libraries, text and backbone take a while until there is more to say."""

from adaptkit.requests.asked import AnyRequest
from adaptkit.requests.task import TaskRequest
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.launched import process_index


def announce(request: AnyRequest) -> None:
    """Print what is done before the estimate can be told, unless the request shows nothing.

    Raises:
        UnknownLanguage: A tag that is none.
    """
    if not request.run.progress or process_index():
        return
    if isinstance(request, TaskRequest):
        trained, read = request.task, "examples"
    else:
        languages = ", ".join(request.languages)
        trained, read = languages if request.name is None else f"{request.name} ({languages})", "text"
    PlainConsole(stderr=True).print(
        f"preparing the training of {trained}: reading the {read}, loading the backbone, and measuring a few "
        "batches for the estimate"
    )
