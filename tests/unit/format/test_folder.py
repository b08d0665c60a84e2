import errno
import fcntl
import os
import resource
import shutil
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adaptkit.errors import CannotWrite, ConfigError
from adaptkit.format import folder as folder_module
from adaptkit.format.exchange import exchange
from adaptkit.format.folder import whole_addition, whole_file, whole_folder, write_folder
from adaptkit.format.leftovers import held, recover, recover_file

KILLED = 77

OLD = {"a": b"old a", "b": b"old b"}
NEW = {"a": b"new a", "b": b"new b"}


def content(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def age(folder: Path) -> None:
    """Let all in it be older than what may just have been made."""
    for entry in folder.iterdir():
        os.utime(entry, (0, 0), follow_symlinks=False)


def failing_at(call: int, original: Callable[..., object]) -> Callable[..., object]:
    """`original`, with a full disk at one of its calls."""
    calls = iter(range(100))

    def fail(*arguments: object) -> object:
        if next(calls) == call:
            raise OSError(28, "No space left on device")
        return original(*arguments)

    return fail


def without_exchange(patch: pytest.MonkeyPatch) -> None:
    """As on a file system that cannot let two folders change places."""
    patch.setattr(folder_module, "exchange", lambda *_: False)


def killed(act: Callable[[], object], patches: Callable[[pytest.MonkeyPatch], None]) -> None:
    """Do it in a process that these patches kill: nothing is tidied up."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child only writes files
        child = os.fork()
    if not child:
        try:
            patches(pytest.MonkeyPatch())
            act()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


def killing_at(call: int, original: Callable[..., object]) -> Callable[..., object]:
    """`original`, and a kill after so many of its calls."""
    calls = iter(range(100))

    def die(*arguments: object, **options: object) -> object:
        if next(calls) == call:
            os._exit(KILLED)
        return original(*arguments, **options)

    return die


KILLS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], dict[str, bytes]]] = {
    "at the first file": (lambda p: p.setattr(os, "fsync", killing_at(0, os.fsync)), OLD),
    "at the last file": (lambda p: p.setattr(os, "fsync", killing_at(2, os.fsync)), OLD),
    "after the exchange": (lambda p: p.setattr(shutil, "rmtree", killing_at(0, shutil.rmtree)), NEW),
}
KILLS_WITHOUT_EXCHANGE: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], dict[str, bytes]]] = {
    "before the first rename": (lambda p: p.setattr(Path, "rename", killing_at(0, Path.rename)), OLD),
    "between the renames": (lambda p: p.setattr(Path, "rename", killing_at(1, Path.rename)), NEW),
    "after the renames": (lambda p: p.setattr(shutil, "rmtree", killing_at(0, shutil.rmtree)), NEW),
}


def write_over_and_die(place: Path, patches: Callable[[pytest.MonkeyPatch], None]) -> None:
    write_folder(place, OLD)
    killed(lambda: write_folder(place, NEW, overwrite=True), patches)


@pytest.mark.parametrize(("patches", "expected"), KILLS.values(), ids=KILLS)
def test_a_killed_writer_leaves_one_whole_folder(
    patches: Callable[[pytest.MonkeyPatch], None], expected: dict[str, bytes], tmp_path: Path
) -> None:
    write_over_and_die(tmp_path / "sw", patches)
    assert content(tmp_path / "sw") == expected  # as found, before anything is recovered
    assert len(list(tmp_path.iterdir())) == 2
    age(tmp_path)
    recover(tmp_path / "sw")
    assert content(tmp_path / "sw") == expected
    assert [entry.name for entry in tmp_path.iterdir()] == ["sw"]


@pytest.mark.parametrize(("patches", "expected"), KILLS_WITHOUT_EXCHANGE.values(), ids=KILLS_WITHOUT_EXCHANGE)
def test_what_a_kill_between_two_renames_took_away_is_put_back(
    patches: Callable[[pytest.MonkeyPatch], None],
    expected: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_exchange(monkeypatch)
    write_over_and_die(tmp_path / "sw", patches)
    if (tmp_path / "sw").exists():  # what was taken away is put back at once, whatever its age
        age(tmp_path)
    recover(tmp_path / "sw")
    assert content(tmp_path / "sw") == expected
    assert [entry.name for entry in tmp_path.iterdir()] == ["sw"]


def test_a_later_writer_tidies_up_after_a_killed_one(tmp_path: Path) -> None:
    write_over_and_die(tmp_path / "sw", KILLS["at the last file"][0])
    killed(lambda: write_file(tmp_path / "facts.json"), KILLS["at the first file"][0])
    assert len(list(tmp_path.iterdir())) == 3
    age(tmp_path)
    write_folder(tmp_path / "sw", NEW, overwrite=True)
    write_file(tmp_path / "facts.json")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["facts.json", "sw"]


def test_what_a_living_writer_works_at_and_what_others_have_stays(tmp_path: Path) -> None:
    others = [".sw.adaptkit-new-zoo-abcdefgh", ".sw-notes", "sw.adaptkit-new-abcdefgh"]
    for name in others:
        (tmp_path / name).mkdir()
    with whole_file(tmp_path / "sw") as file, whole_folder(tmp_path / "gn") as folder:
        age(tmp_path)
        recover_file(tmp_path / "sw")
        recover(tmp_path / "gn")
        assert file.exists()
        assert folder.exists()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(["sw", "gn", *others])


OTHERS = [
    ".sw-training",
    ".sw-original",
    ".sw-new-abcdefgh",
    ".sw-old-abcdefgh",
    ".sw.original",
    ".sw.adaptkit-abcdefgh",
]


@pytest.mark.parametrize("write", [lambda place: write_folder(place, NEW, overwrite=True), lambda p: write_file(p)])
def test_what_is_not_marked_as_ours_is_never_deleted(write: Callable[[Path], None], tmp_path: Path) -> None:
    """Names like those that an editor or a user gives: a dot, the name, and eight letters."""
    for others in (tmp_path / "files", tmp_path / "folders"):
        others.mkdir()
    for name in OTHERS:
        (tmp_path / "files" / name).write_text("mine")
        write_folder(tmp_path / "folders" / name, OLD)
    for others in (tmp_path / "files", tmp_path / "folders"):
        write(others / "sw")
        assert sorted(entry.name for entry in others.iterdir()) == sorted(["sw", *OTHERS])


def test_a_file_is_deleted_for_a_file_and_a_folder_for_a_folder(tmp_path: Path) -> None:
    file, folder = tmp_path / ".sw.adaptkit-new-aaaaaaaa", tmp_path / ".sw.adaptkit-new-bbbbbbbb"
    link = tmp_path / ".sw.adaptkit-new-cccccccc"
    file.write_text("half")
    folder.mkdir()
    link.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    write_folder(tmp_path / "elsewhere", OLD)
    age(tmp_path)
    recover_file(tmp_path / "sw")
    assert (file.exists(), folder.exists(), link.is_symlink()) == (False, True, True)
    file.write_text("half")
    age(tmp_path)
    recover(tmp_path / "sw")
    assert (file.exists(), folder.exists(), link.is_symlink()) == (True, False, True)
    assert content(tmp_path / "elsewhere") == OLD


def test_what_was_just_made_and_is_not_yet_held_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where another process looks between the making of a file or folder and its lock."""

    @contextmanager
    def looked_at_before_held(path: Path) -> Iterator[None]:
        for place in (tmp_path / "facts.json", tmp_path / "sw"):
            recover(place)
            recover_file(place)
        with held(path):
            yield

    monkeypatch.setattr(folder_module, "held", looked_at_before_held)
    write_file(tmp_path / "facts.json")
    write_folder(tmp_path / "sw", NEW)
    assert (tmp_path / "facts.json").read_text() == "whole"
    assert content(tmp_path / "sw") == NEW


def test_a_writer_waits_while_somebody_looks_whether_it_is_at_work(tmp_path: Path) -> None:
    path = tmp_path / ".sw.adaptkit-new-abcdefgh"
    path.write_text("half")
    entered = threading.Event()

    def work() -> None:
        with held(path):
            entered.set()

    with path.open() as looking:
        fcntl.flock(looking, fcntl.LOCK_EX)
        writer = threading.Thread(target=work)
        writer.start()
        assert not entered.wait(0.2)
    writer.join()
    assert entered.is_set()
    age(tmp_path)
    with held(path):
        recover_file(tmp_path / "sw")
        assert path.exists()
    recover_file(tmp_path / "sw")
    assert not path.exists()


def test_a_half_written_file_in_a_folder_goes_with_what_it_replaces(tmp_path: Path) -> None:
    write_folder(tmp_path / "sw", {**OLD, ".a.adaptkit-new-abcdefgh": b"half"})
    write_folder(tmp_path / "sw", NEW, overwrite=True)
    assert content(tmp_path / "sw") == NEW
    (tmp_path / "sw" / ".a.adaptkit-new-abcdefgh").mkdir()
    with pytest.raises(ConfigError, match=r"first: \.a\.adaptkit-new"):
        write_folder(tmp_path / "sw", OLD, overwrite=True)


def test_folders_change_places_in_one_step(tmp_path: Path) -> None:
    write_folder(tmp_path / "one", OLD)
    write_folder(tmp_path / "other", NEW)
    if not exchange(tmp_path / "one", tmp_path / "other"):
        pytest.skip("this file system cannot let two folders change places")
    assert (content(tmp_path / "one"), content(tmp_path / "other")) == (NEW, OLD)
    assert not exchange(tmp_path / "one", tmp_path / "nowhere")


def test_a_full_disk_is_told_with_place_and_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", failing_at(0, os.fsync))
    with pytest.raises(CannotWrite, match=r"sw \(10 bytes\) cannot be written: No space left on device") as caught:
        write_folder(tmp_path / "sw", NEW)
    assert (caught.value.path, caught.value.needed, caught.value.errno) == (tmp_path / "sw", 10, errno.ENOSPC)
    monkeypatch.setattr(os, "fsync", failing_at(0, os.fsync))
    with pytest.raises(CannotWrite, match=r"facts.json cannot be written"):
        write_file(tmp_path / "facts.json")
    assert list(tmp_path.iterdir()) == []


def test_a_limit_on_file_sizes_is_told(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        with pytest.raises(CannotWrite, match="File too large"):
            write_folder(tmp_path / "sw", {"a": b"x" * 5000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def write_file(path: Path) -> None:
    with whole_file(path) as partial:
        partial.write_text("whole")


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
    without_exchange(monkeypatch)
    monkeypatch.setattr(Path, "rename", failing_at(call, Path.rename))
    with pytest.raises(CannotWrite, match="No space"):
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


def test_files_join_those_of_a_folder_all_at_once_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    (folder / "more").mkdir(parents=True)
    (folder / "old").write_bytes(b"old")
    (folder / "more" / "inner").write_bytes(b"inner")
    folder.chmod(0o700)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing_at(1, os.fsync))
        with pytest.raises(CannotWrite, match="No space"), whole_addition(folder) as place:
            (place / "new").write_bytes(b"new")
    with pytest.raises(ConfigError, match="old exists already"), whole_addition(folder) as place:
        (place / "old").write_bytes(b"new")
    assert sorted(path.name for path in folder.iterdir()) == ["more", "old"]
    before = (folder / "old").stat().st_ino
    with whole_addition(folder) as place:
        (place / "new").write_bytes(b"new")
        assert not (folder / "new").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (folder / "old").stat().st_ino == before  # not copied: a graph may have gigabytes
    assert [(folder / name).read_bytes() for name in ("old", "new", "more/inner")] == [b"old", b"new", b"inner"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
