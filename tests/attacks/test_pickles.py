import pickle
from pathlib import Path

import pytest
import torch

from adaptkit.errors import AdapterFileError, LimitExceeded, MalformedConfig, MalformedTensorFile, NotAnAdapter
from adaptkit.format.spec import CONFIG_FILE, RECORD_FILE, WEIGHTS_FILE
from adaptkit.storage import load_adapter
from tests.hostile import put_weights, tensors_of


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.mark,)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "code was run"


def assert_refused(folder: Path, mark: Path, *errors: type[AdapterFileError]) -> None:
    with pytest.raises(errors):
        load_adapter(folder)
    assert not mark.exists()


def test_the_bomb_works(mark: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(mark)))
    assert mark.exists()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_under_the_weights_name(folder: Path, mark: Path, protocol: int) -> None:
    put_weights(folder, pickle.dumps(Bomb(mark), protocol=protocol))
    assert_refused(folder, mark, MalformedTensorFile)


@pytest.mark.parametrize("protocol", [0, 1])
def test_an_old_pickle_under_the_weights_name(folder: Path, mark: Path, protocol: int) -> None:
    put_weights(folder, pickle.dumps(Bomb(mark), protocol=protocol))
    assert_refused(folder, mark, LimitExceeded)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_torch_file_under_the_weights_name(folder: Path, mark: Path, zipped: bool) -> None:
    content = {**tensors_of(folder), "bomb": Bomb(mark)}
    torch.save(content, folder / WEIGHTS_FILE, _use_new_zipfile_serialization=zipped)
    put_weights(folder, (folder / WEIGHTS_FILE).read_bytes())
    assert_refused(folder, mark, MalformedTensorFile)


@pytest.mark.parametrize("name", ["adapter_model.bin", "pytorch_model.bin", "adapter_model.pt", "model.safetensors"])
def test_a_torch_file_in_place_of_the_weights(folder: Path, mark: Path, name: str) -> None:
    torch.save({**tensors_of(folder), "bomb": Bomb(mark)}, folder / name)
    (folder / WEIGHTS_FILE).unlink()
    assert_refused(folder, mark, NotAnAdapter)


@pytest.mark.parametrize("name", ["adapter_model.bin", "pytorch_model.bin"])
def test_a_torch_file_beside_the_weights_is_never_opened(folder: Path, mark: Path, name: str) -> None:
    torch.save(Bomb(mark), folder / name)
    load_adapter(folder)
    assert not mark.exists()


@pytest.mark.parametrize("name", [CONFIG_FILE, RECORD_FILE])
def test_a_pickle_under_the_name_of_a_json_file(folder: Path, mark: Path, name: str) -> None:
    (folder / name).write_bytes(pickle.dumps(Bomb(mark)))
    assert_refused(folder, mark, MalformedConfig)
