"""A repository of a hub, as far as it is an adapter: which of its files are there at a commit, and their bytes."""

import re
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, constants
from huggingface_hub.hf_api import ModelInfo, RepoSibling
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # public, but not marked so

from adaptkit.errors import ConfigError, HubError, LimitExceeded, NotAnAdapter
from adaptkit.format import spec
from adaptkit.interchange.download import RemoteFile, download
from adaptkit.interchange.hub_errors import asking
from adaptkit.version import __version__

_NAME = re.compile(r"[A-Za-z0-9_](?:[\w.-]{0,94}[A-Za-z0-9_])?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Commit:
    """What a repository is at one commit."""

    revision: str
    public: bool
    entries: tuple[RepoSibling, ...]


@dataclass(frozen=True)
class Repository:
    """`owner/name` on the hub of HF_ENDPOINT. Without a token, the one of `hf auth login` or HF_TOKEN is sent."""

    repo_id: str
    token: str | None = None

    def __post_init__(self) -> None:
        owner, _, name = self.repo_id.partition("/")
        allowed = _NAME.fullmatch(owner) and _NAME.fullmatch(name)
        if not allowed or any(part in self.repo_id for part in ("--", "..")) or name.endswith(".git"):
            raise ConfigError(
                f"{self.repo_id!r} is not a repository's name. Write owner/name, of letters, digits and single dots "
                "and dashes, for example me/e5-small-lang-sw."
            )

    @property
    def api(self) -> HfApi:
        """The client, for the hub that is named now."""
        return HfApi(token=self.token, library_name="adaptkit", library_version=__version__)

    def at(self, revision: str | None = None) -> Commit:
        """The commit that a branch, a tag or a commit's own hash names; the newest of the main branch without one.

        Raises:
            SourceNotFound: No such repository or revision.
            ConfigError: What no revision can be.
            HubError: The hub does not answer, refuses, or names another commit than the one that was asked for.
        """
        if revision is not None and (not revision.strip() or ".." in revision):
            raise ConfigError(f"{revision!r} is no revision. Give a branch, a tag or the 40 digits of a commit.")
        with asking(self.repo_id, revision):
            info: ModelInfo = self.api.model_info(
                self.repo_id, revision=revision, files_metadata=True, timeout=constants.HF_HUB_ETAG_TIMEOUT
            )
            entries = tuple(info.siblings or ())
        found = commit_hash(info.sha, self.repo_id)
        if any(not isinstance(entry.rfilename, str) for entry in entries):
            raise HubError(f"the hub names files of {self.repo_id} by something else than names.")
        if revision is not None and _COMMIT.fullmatch(revision.lower()) and found != revision.lower():
            raise HubError(f"{self.repo_id} was asked for commit {revision}, and the hub gives {found}.")
        return Commit(revision=found, public=info.private is not True, entries=entries)

    def files(self, commit: Commit) -> tuple[RemoteFile, ...]:
        """The files of the adapter, with sizes within the bounds of the format. Nothing else there is looked at.

        Raises:
            NotAnAdapter: A file is missing.
            LimitExceeded: A file is announced as larger than a reader would take.
            HubError: Size or hash of a file are not told.
        """
        there = {entry.rfilename: entry for entry in commit.entries}
        where = Path(f"{self.repo_id}@{commit.revision[:12]}")
        for name in spec.ADAPTER_FILES:
            if name not in there:
                raise NotAnAdapter(
                    where, f"has no file {name}; adapters are put there by `adaptkit push`. Is it another repository?"
                )
        # Weights come last, if the rest is sound.
        wanted = {name: bound for name, bound in spec.OPTIONAL_FILES.items() if name in there} | spec.ADAPTER_FILES
        return tuple(_announced(there[name], bound, where) for name, bound in wanted.items())

    def fetch(self, file: RemoteFile, commit: Commit, folder: Path) -> None:
        """Bring a file into a folder, from where an earlier attempt ended.

        Raises:
            HubError: The hub went away (what has arrived is kept), refuses, or sent other bytes than it announced.
        """
        headers: dict[str, str] = build_hf_headers(
            token=self.token, library_name="adaptkit", library_version=__version__
        )
        with asking(self.repo_id, commit.revision):
            download(
                f"{constants.ENDPOINT}/{self.repo_id}/resolve/{commit.revision}/{file.name}", file, folder, headers
            )


def commit_hash(said: object, repo_id: str) -> str:
    """The hash of a commit as the hub says it; it becomes part of names here.

    Raises:
        HubError: It is none.
    """
    if not isinstance(said, str) or not _COMMIT.fullmatch(said):
        raise HubError(f"the hub names no commit of {repo_id}, so that nothing could be pinned.")
    return said


def _announced(entry: RepoSibling, bound: int, where: Path) -> RemoteFile:
    size = entry.size if entry.lfs is None else entry.lfs.size
    digest = entry.blob_id if entry.lfs is None else entry.lfs.sha256
    right = _COMMIT if entry.lfs is None else _SHA256
    if type(size) is not int or size < 0 or not isinstance(digest, str) or not right.fullmatch(digest):
        raise HubError(f"the hub does not tell size and hash of {entry.rfilename} in {where}, so it is not fetched.")
    if size > bound:
        raise LimitExceeded(
            where / entry.rfilename, f"is announced with {size:,} bytes; the reader's bound is {bound:,}."
        )
    return RemoteFile(name=entry.rfilename, size=size, digest=digest)
