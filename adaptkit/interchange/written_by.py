"""Which library wrote a folder."""

from os import PathLike
from pathlib import Path
from typing import Literal, TypeAlias

from adaptkit.errors import NotConvertible
from adaptkit.format.folder import Folder, read_json
from adaptkit.format.spec import CONFIG_FILE

Library: TypeAlias = Literal["peft", "adapterhub"]


def written_by(folder: str | PathLike[str]) -> Library:
    """The library that wrote the adapter in a folder, by the fields of its config.

    Raises:
        AdapterFileError: There is no config, or it is not sound JSON.
        NotConvertible: It has the fields of neither, or of both.
    """
    config = read_json(Folder(Path(folder)), CONFIG_FILE)
    is_peft, is_adapterhub = "peft_type" in config, {"config", "name"} <= config.keys()
    if is_peft != is_adapterhub:
        return "peft" if is_peft else "adapterhub"
    found = "both" if is_peft else "neither"
    raise NotConvertible(
        f"{Path(folder) / CONFIG_FILE} is of no library that is read here: peft's has a field 'peft_type', and that of "
        f"AdapterHub's adapters the fields 'config' and 'name'; this one has {found}."
    )
