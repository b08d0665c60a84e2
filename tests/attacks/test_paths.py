import os
import socket
from pathlib import Path
from threading import Thread

import pytest

from adaptkit.errors import AdaptkitError, ConfigError, LimitExceeded, MalformedConfig, NotAnAdapter, UnsafePath
from adaptkit.format.folder import read_file
from adaptkit.format.spec import CONFIG_FILE, MAX_JSON_BYTES, RECORD_FILE, WEIGHTS_FILE
from adaptkit.storage import Adapter, load_adapter
from tests.hostile import put

FILES = (WEIGHTS_FILE, CONFIG_FILE, RECORD_FILE)


def assert_refused(folder: Path, error: type[AdaptkitError]) -> None:
    with pytest.raises(error) as caught:
        load_adapter(folder)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    "name", ["../../x", "sw/../../x", "/etc/x", "..", ".hidden", "a\\b", "a\0b", "", "x" * 65, "ё"]
)
def test_a_name_that_is_a_path(folder: Path, name: str) -> None:
    put(folder, RECORD_FILE, "name", name)
    assert_refused(folder, MalformedConfig)


@pytest.mark.parametrize("below", [["../../x"], ["language/../x"], ["sw"], ["voice/sw"], [""], ["language/yo"] * 2])
def test_an_adapter_below_that_has_no_id(folder: Path, below: list[str]) -> None:
    put(folder, RECORD_FILE, "below", below)
    assert_refused(folder, MalformedConfig)


def test_an_adapter_below_itself(folder: Path, adapter: Adapter) -> None:
    put(folder, RECORD_FILE, "below", [adapter.id])
    assert_refused(folder, MalformedConfig)


@pytest.mark.parametrize("target", ["../../x", "encoder.layer.0/../x", "encoder..query", "", "embeddings", "__class__"])
def test_a_target_module_that_is_no_site(folder: Path, target: str) -> None:
    put(folder, CONFIG_FILE, "target_modules.0", target)
    assert_refused(folder, MalformedConfig)


@pytest.mark.parametrize("name", ["../adaptkit.json", "a/../adaptkit.json", "/etc/passwd", ".", "..", "", "a/", "./a"])
def test_a_file_name_that_leaves_the_folder(folder: Path, name: str) -> None:
    with pytest.raises(UnsafePath):
        read_file(folder, name, max_bytes=1000)


@pytest.mark.parametrize("name", FILES)
def test_a_symlink_to_a_file_outside(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).rename(tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    assert_refused(folder, UnsafePath)


@pytest.mark.parametrize("name", FILES)
def test_a_symlink_to_nothing(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to("/nonexistent")
    assert_refused(folder, UnsafePath)


@pytest.mark.parametrize("spelling", ["link", "link/"])
def test_a_folder_that_is_a_symlink(folder: Path, tmp_path: Path, spelling: str) -> None:
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(UnsafePath):
        load_adapter(f"{tmp_path}/{spelling}")


@pytest.mark.parametrize("name", FILES)
def test_a_pipe_does_not_hang_the_reader(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    reading = Thread(target=assert_refused, args=(folder, NotAnAdapter), daemon=True)
    reading.start()
    reading.join(timeout=10)
    assert not reading.is_alive()


@pytest.mark.parametrize("name", FILES)
def test_a_folder_under_the_name_of_a_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    assert_refused(folder, NotAnAdapter)


def test_a_socket_under_the_name_of_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / WEIGHTS_FILE).unlink()
    monkeypatch.chdir(folder)  # a socket's path may not be long
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(WEIGHTS_FILE)
        assert_refused(folder, NotAnAdapter)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert_refused(folder, NotAnAdapter)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert_refused(tmp_path / "nowhere", NotAnAdapter)


def test_a_file_in_place_of_the_folder(folder: Path) -> None:
    assert_refused(folder / WEIGHTS_FILE, NotAnAdapter)


def test_a_folder_name_with_a_nul_byte(tmp_path: Path) -> None:
    assert_refused(tmp_path / "a\0b", NotAnAdapter)


@pytest.mark.parametrize("name", [CONFIG_FILE, RECORD_FILE])
def test_a_huge_json_file(folder: Path, name: str) -> None:
    os.truncate(folder / name, MAX_JSON_BYTES + 1)
    assert_refused(folder, LimitExceeded)


def test_a_huge_weight_file(folder: Path) -> None:
    os.truncate(folder / WEIGHTS_FILE, 2**31 + 1)  # sparse: takes no room
    assert_refused(folder, LimitExceeded)


def test_saving_through_a_symlink(adapter: Adapter, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(ConfigError):
        adapter.save(tmp_path / "link", overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert load_adapter(folder).id == adapter.id
