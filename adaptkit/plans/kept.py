"""What a plan remembers of each training: a small file by which it knows what is done when it runs again."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias

from adaptkit.errors import AdapterFileError, ConfigError
from adaptkit.format.folder import parse_object, read_file, whole_file
from adaptkit.format.spec import MAX_JSON_BYTES

State: TypeAlias = Literal["measured", "begun", "trained", "failed", "interrupted"]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is remembered of a training. `options` are those that decide its result.

    `weights_sha256` are the weights that came out, `before_sha256` those of an adapter that it was to replace, and
    `built_on` those in each folder that it builds on; empty where there are none. `place` is the working directory,
    from which relative paths in `options` are meant; it is empty where an older adaptkit has not noted it. `steps_done`
    are those behind which an interrupted training stopped.
    """

    options: Mapping[str, Any]
    state: State
    cost: Mapping[str, float] = field(default_factory=dict)
    weights_sha256: str = ""
    before_sha256: str = ""
    built_on: Mapping[str, str] = field(default_factory=dict)
    elapsed_s: float = 0.0
    error: str = ""
    steps_done: int = 0
    place: str = field(default_factory=os.getcwd)

    @property
    def named_from(self) -> Path | None:
        """The folder from which files in `options` are named; None where that is not known."""
        return Path(self.place) if self.place else None


class Memory:
    """A folder with a file for each training of a plan; several processes may keep in it what is theirs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, id_: str) -> Kept | None:
        """What is remembered of a training; None where nothing is.

        Raises:
            ConfigError: Its file is broken.
        """
        path = self._path(id_)
        if not path.exists():
            return None
        names = {entry.name for entry in fields(Kept)}
        try:
            found = parse_object(read_file(path.parent, path.name, max_bytes=MAX_JSON_BYTES), path)
            known = {name: value for name, value in found.items() if name in names}
            return Kept(**{"place": "", **known})  # type: ignore[arg-type]
        except (AdapterFileError, TypeError) as error:
            raise ConfigError(
                f"{path}, where a plan keeps what it knows of {id_}, cannot be read ({error}) Delete that file; a "
                "finished adapter stays as it is."
            ) from error

    def keep(self, id_: str, kept: Kept) -> None:
        """Remember.

        Raises:
            CannotWrite: As on a full disk.
        """
        with whole_file(self._path(id_)) as partial:
            partial.write_text(json.dumps(asdict(kept), indent=1), encoding="utf-8")

    def _path(self, id_: str) -> Path:
        kind, name = id_.split("/")
        return self._folder / kind / f"{name}.json"
