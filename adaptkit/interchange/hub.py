"""Adapters on a model hub: pushed as one commit of four files, pulled from a commit that is always named.

The hub is that of huggingface_hub: the one in HF_ENDPOINT, with the token of `hf auth login` or HF_TOKEN. Nothing else
in adaptkit needs it.
"""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from glob import escape
from io import BytesIO
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory

from huggingface_hub import CommitInfo, CommitOperationAdd

from adaptkit.errors import AdapterFileError, ConfigError, HubError, SourceNotFound
from adaptkit.format import spec
from adaptkit.format.folder import Folder, check_replaceable, read_file, write_folder
from adaptkit.format.listing import Listing
from adaptkit.interchange.hub_errors import asking
from adaptkit.interchange.repository import Commit, Repository, commit_hash
from adaptkit.storage import Adapter, load_adapter
from adaptkit.terminal.asking import as_typed

_MADE_BY_THE_HUB = ".gitattributes"


@dataclass(frozen=True, kw_only=True)
class HubAdapter:
    """An adapter as a hub holds it. `revision` is the hash of the commit: who pulls it gets this adapter for ever."""

    adapter: Adapter
    repo_id: str
    revision: str
    public: bool


def push_adapter(
    adapter: Adapter | str | PathLike[str],
    repo_id: str,
    *,
    public: bool = False,
    message: str | None = None,
    token: str | None = None,
) -> HubAdapter:
    """Check an adapter and put its files into a repository of a hub, in one commit on the main branch.

    These are the four of the format, and its signature where it is signed; others in the folder are not sent. A
    repository that is not there is made, a private one unless `public`.

    Raises:
        AdapterFileError: The folder holds no sound adapter.
        ConfigError: The name is none, the repository holds something else, or it is public and `public` is not set.
        HubError: The hub does not answer or refuses.
    """
    repository = Repository(repo_id, token)
    if isinstance(adapter, Adapter):
        with TemporaryDirectory() as place:
            folder = adapter.save(Path(place) / "adapter")
            return push_adapter(folder, repo_id, public=public, message=message, token=token)
    checked = load_adapter(adapter)
    files = _contents(Path(adapter))
    before = _place_for(repository, public=public)
    with asking(repo_id), _over_http():
        pushed: CommitInfo = repository.api.create_commit(
            repo_id,
            [CommitOperationAdd(name, BytesIO(content)) for name, content in files.items()],
            commit_message=message or f"{checked.id}, weights {checked.weights_sha256[:12]}",
            parent_commit=before.revision,
        )
    return HubAdapter(adapter=checked, repo_id=repo_id, revision=commit_hash(pushed.oid, repo_id), public=before.public)


def pull_adapter(
    repo_id: str,
    *,
    revision: str | None = None,
    output: str | PathLike[str] | None = None,
    overwrite: bool = False,
    token: str | None = None,
) -> HubAdapter:
    """Fetch the adapter in a repository of a hub into a folder: the repository's name, or `output`.

    `revision` is a branch, a tag or a commit; give the commit for what does not change. The files are put in place when
    all of them have arrived and `load_adapter` has read them. Interrupted downloads resume.

    Raises:
        SourceNotFound: No such repository or revision.
        ConfigError: The name is none, or something is in the folder and `overwrite` is not set.
        AdapterFileError: What is there is no sound adapter; nothing of it is kept.
        HubError: The hub does not answer, refuses, or sends something else than it announced.
    """
    repository = Repository(repo_id, token)
    folder = Path(repo_id.rpartition("/")[2] if output is None else output).absolute()
    check_replaceable(folder, spec.ADAPTER_FILES, overwrite=overwrite)
    commit = repository.at(revision)
    files = repository.files(commit)
    partial = folder.with_name(f".{folder.name}-pull-{commit.revision[:12]}")
    if partial.is_symlink():
        raise ConfigError(f"{partial} is a symlink, where files are to be put until they are checked. Remove it.")
    partial.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        for file in files[:-1]:
            repository.fetch(file, commit, partial)
        Listing("", Folder(partial)).require_sound()  # before the large file is fetched
        repository.fetch(files[-1], commit, partial)
        adapter = load_adapter(partial)
        content = _contents(partial)
    except BaseException as error:
        if isinstance(error, AdapterFileError) or not _has_arrived(partial):
            shutil.rmtree(partial, ignore_errors=True)
        raise
    write_folder(folder, content, overwrite=overwrite)
    for attempt in folder.parent.glob(f".{escape(folder.name)}-pull-*"):
        shutil.rmtree(attempt, ignore_errors=True)
    return HubAdapter(adapter=adapter, repo_id=repo_id, revision=commit.revision, public=commit.public)


@contextmanager
def _over_http() -> Iterator[None]:
    """Not by hf_xet, which only one hub understands: huggingface_hub leaves it out for buffers, and warns of that."""
    logger = logging.getLogger("huggingface_hub._commit_api")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _contents(folder: Path) -> dict[str, bytes]:
    there = {name: bound for name, bound in spec.OPTIONAL_FILES.items() if (folder / name).exists()}
    wanted = there | spec.ADAPTER_FILES
    return {name: read_file(folder, name, max_bytes=bound) for name, bound in wanted.items()}


def _has_arrived(partial: Path) -> bool:
    return any(file.stat().st_size for file in partial.glob("*"))


def _place_for(repository: Repository, *, public: bool) -> Commit:
    """The newest commit of a repository that may be pushed to, made if need be."""
    repo_id = repository.repo_id
    try:
        found = repository.at()
    except SourceNotFound:
        with asking(repo_id):
            repository.api.create_repo(repo_id, private=not public)
        found = repository.at()
        if found.public and not public:
            raise HubError(f"{repo_id} was to be private, and the hub made it public. Nothing was pushed.") from None
    if found.public and not public:
        raise ConfigError(
            f"{repo_id} is public: everybody would see the adapter. If that is meant, give {as_typed(public=True)}."
        )
    ours = {*spec.ADAPTER_FILES, *spec.OPTIONAL_FILES, _MADE_BY_THE_HUB}
    foreign = sorted({entry.rfilename for entry in found.entries} - ours)
    if foreign:
        raise ConfigError(
            f"{repo_id} holds files that are not an adapter's (first: {foreign[0]!r:.120}); nothing was pushed. Give "
            "another name: each adapter has a repository of its own."
        )
    return found
