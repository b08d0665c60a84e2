"""`adaptkit push`."""

from typing import Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import FolderArgument


def push(
    folder: FolderArgument,
    repo: Annotated[str, typer.Argument(help="owner/name on the hub; made if it is not there, as a private one")],
    public: Annotated[bool, typer.Option("--public", help="make it public")] = False,
    message: Annotated[str | None, typer.Option(help="message of the commit")] = None,
) -> Answer:
    """Check an adapter and upload it to a hub (HF_ENDPOINT). Its four files go there in one commit."""
    from adaptkit.interchange import push_adapter

    pushed = push_adapter(folder, repo, public=public, message=message)
    lines = [
        f"{pushed.adapter.id} is in {repo} ({'public' if pushed.public else 'private'}), revision {pushed.revision}",
        f"adaptkit pull {repo} --revision {pushed.revision} --output FOLDER",
    ]
    if pushed.adapter.card.licence == "not stated":
        lines.append("its card states no licence, so nobody knows what may be done with it")
    facts = {"id": pushed.adapter.id, "repo": repo, "revision": pushed.revision, "public": pushed.public}
    return Answer(facts, "\n".join(lines), confirms=True)
