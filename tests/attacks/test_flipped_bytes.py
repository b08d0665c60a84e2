"""Any single changed byte of any file that an index lists, or of the index, is found."""

import random
from pathlib import Path

import pytest

from adaptkit.errors import AdapterFileError
from adaptkit.storage import Zoo
from tests.tiny import tiny_model
from tests.zoos import made_zoo

FLIPS = 1_000


def test_every_flip_is_found(tmp_path: Path) -> None:
    folder = made_zoo(tmp_path / "zoo", tiny_model())
    Zoo(folder).write_index()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(files) == 17
    chosen = random.Random(0)
    missed = []
    for number in range(FLIPS):
        path = files[number % len(files)]
        content = path.read_bytes()
        place, change = chosen.randrange(len(content)), chosen.randrange(1, 256)
        path.write_bytes(content[:place] + bytes([content[place] ^ change]) + content[place + 1 :])
        try:
            Zoo(folder).check()
        except AdapterFileError:
            pass
        else:
            missed.append((path.name, place, change))
        path.write_bytes(content)
    assert missed == []
    Zoo(folder).check()


@pytest.mark.parametrize("file", ["index.json", "tiny-bert/language/sw/adaptkit.json"])
def test_a_file_that_ends_early_is_found(tmp_path: Path, file: str) -> None:
    folder = made_zoo(tmp_path / "zoo", tiny_model())
    Zoo(folder).write_index()
    path = folder / file
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(AdapterFileError):
        Zoo(folder).check()
