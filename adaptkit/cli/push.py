"""`adaptkit push`."""

from typing import Annotated

import typer

from adaptkit.cli.arguments import FolderArgument
from adaptkit.terminal.console import PlainConsole

_out = PlainConsole()


def push(
    folder: FolderArgument,
    repo: Annotated[str, typer.Argument(help="owner/name on the hub; made if it is not there, as a private one")],
    public: Annotated[bool, typer.Option("--public", help="everybody may see it")] = False,
    message: Annotated[str | None, typer.Option(help="what the commit says")] = None,
) -> None:
    """Check an adapter and put it on a model hub (HF_ENDPOINT). Its four files go there in one commit."""
    from adaptkit.interchange import push_adapter

    pushed = push_adapter(folder, repo, public=public, message=message)
    _out.print(
        f"{pushed.adapter.id} is in {repo} ({'public' if pushed.public else 'private'}), revision {pushed.revision}"
    )
    _out.print(f"adaptkit pull {repo} --revision {pushed.revision} --output FOLDER")
    if pushed.adapter.card.licence == "not stated":
        _out.print("its card states no licence, so nobody knows what may be done with it", markup=False)
