import os
from collections.abc import Callable
from pathlib import Path

import pytest

from adaptkit.errors import ConfigError
from adaptkit.storage.folder import whole_file, whole_folder, write_folder

OLD = {"a": b"old a", "b": b"old b"}
NEW = {"a": b"new a", "b": b"new b"}


def content(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def failing_at(call: int, original: Callable[..., object]) -> Callable[..., object]:
    """`original`, with a full disk at one of its calls."""
    calls = iter(range(100))

    def fail(*arguments: object) -> object:
        if next(calls) == call:
            raise OSError(28, "No space left on device")
        return original(*arguments)

    return fail


@pytest.mark.parametrize("call", range(3))
def test_an_interrupted_sync_leaves_the_old_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    write_folder(tmp_path / "sw", OLD)
    monkeypatch.setattr(os, "fsync", failing_at(call, os.fsync))
    with pytest.raises(OSError, match="No space"):
        write_folder(tmp_path / "sw", NEW, overwrite=True)
    assert content(tmp_path / "sw") == OLD
    assert [entry.name for entry in tmp_path.iterdir()] == ["sw"]


@pytest.mark.parametrize("call", range(2))
def test_an_interrupted_rename_leaves_the_old_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    write_folder(tmp_path / "sw", OLD)
    monkeypatch.setattr(Path, "rename", failing_at(call, Path.rename))
    with pytest.raises(OSError, match="No space"):
        write_folder(tmp_path / "sw", NEW, overwrite=True)
    assert content(tmp_path / "sw") == OLD
    assert [entry.name for entry in tmp_path.iterdir()] == ["sw"]


def test_an_interrupted_first_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "rename", failing_at(0, Path.rename))
    with pytest.raises(OSError, match="No space"):
        write_folder(tmp_path / "sw", NEW)
    assert list(tmp_path.iterdir()) == []


def test_a_key_pressed_while_writing_leaves_the_old_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(descriptor: int) -> None:
        raise KeyboardInterrupt(descriptor)

    write_folder(tmp_path / "sw", OLD)
    monkeypatch.setattr(os, "fsync", press)
    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "sw", NEW, overwrite=True)
    assert content(tmp_path / "sw") == OLD


def test_an_empty_folder_may_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "sw").mkdir()
    write_folder(tmp_path / "sw", NEW)
    assert content(tmp_path / "sw") == NEW


def test_a_file_that_the_new_folder_does_not_have_is_gone(tmp_path: Path) -> None:
    write_folder(tmp_path / "sw", {"a": b"old"})
    write_folder(tmp_path / "sw", NEW, overwrite=True)
    assert content(tmp_path / "sw") == NEW


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "facts.json"
    with whole_file(path) as partial:
        partial.write_text("old")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("old", 0o644)

    def interrupted() -> None:
        with whole_file(path) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_is_filled_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(IsADirectoryError), whole_folder(tmp_path / "in" / "out") as place:
        place.write_bytes(b"half")
    assert list((tmp_path / "in").iterdir()) == []
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing_at(1, os.fsync))
        with pytest.raises(OSError, match="No space"), whole_folder(tmp_path / "in" / "out") as place:
            (place / "a").write_bytes(b"whole")
    assert list((tmp_path / "in").iterdir()) == []
    with whole_folder(tmp_path / "in" / "out") as place:
        (place / "a").write_bytes(b"whole")
        assert not (tmp_path / "in" / "out").exists()
    assert content(tmp_path / "in" / "out") == {"a": b"whole"}
    with pytest.raises(ConfigError, match="exists already"), whole_folder(tmp_path / "in" / "out"):
        pass
