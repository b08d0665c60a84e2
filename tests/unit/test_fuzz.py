"""The harness itself: its targets take their seeds, find nothing in a few changes of them, and would find something."""

import importlib
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from adaptkit.errors import ConfigError
from adaptkit.format import card
from fuzz import watch
from fuzz.outcome import Unsound
from fuzz.parcel import pack, unpack
from fuzz.seeded import run
from fuzz.tally import Tally
from fuzz.target import Target
from fuzz.targets import TARGETS

N_CHANGES = 25


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_read(name: str) -> None:
    target = TARGETS[name]
    outcomes = [target.try_one(data) for data in target.seeds()]
    # A fusion is attached where what it fuses is, pieces where their tokenizer is; a private extension is no language;
    # some of version 9 are of another family.
    may_be_refused = {"ArchitectureMismatch", "UnknownAdapter", "TokenizerMismatch", "UnknownLanguage"}
    assert {outcome.what for outcome in outcomes} <= {"", *may_be_refused}, outcomes
    assert any(outcome.kind == "accepted" for outcome in outcomes)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            marks=pytest.mark.xfail(
                name == "card" and not hasattr(card, "CardSubject"), reason="the card takes texts as they are"
            ),
        )
        for name in TARGETS
    ],
)
def test_a_few_changes_find_nothing(name: str) -> None:
    target, random = TARGETS[name], Random(0)
    seeds = target.seeds()
    for _ in range(N_CHANGES):
        outcome = target.try_one(target.mutate(random.choice(seeds), random))
        assert outcome.kind != "finding", outcome.story


def _target(read: Callable[[bytes], Callable[[], None]]) -> Target:
    return Target(seeds=lambda: [b"x"], mutate=lambda data, _: data + b"x", read=read)


def test_a_look_for_gpus_is_no_finding_and_another_library_is() -> None:
    """What a torch that is built for CUDA does where it is asked for a device, without the driver."""

    def read(library: str) -> str:
        def loading(_: bytes) -> Callable[[], None]:
            sys.audit("ctypes.dlopen", library)
            return lambda: None

        return _target(loading).try_one(b"x").kind

    assert read("libnvidia-ml.so.1") == "accepted"
    assert read("libm.so.6") == "finding"


def test_a_first_import_is_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("fuzz.watch._MAY_READ", (*watch._MAY_READ, str(tmp_path.resolve())))
    (tmp_path / "never_imported.py").write_text("x = 1")

    def read(_: bytes) -> Callable[[], None]:
        importlib.import_module("never_imported")
        return lambda: None

    outcome = _target(read).try_one(b"x")
    assert outcome.kind == "accepted", outcome.story
    assert not (tmp_path / "__pycache__").exists()


def test_what_is_a_finding(tmp_path: Path) -> None:
    def sound() -> None:
        pass

    def unsound() -> None:
        raise Unsound("not what it should be")

    def refuse(_: bytes) -> Callable[[], None]:
        raise ConfigError("no")

    def tell_all(_: bytes) -> Callable[[], None]:
        raise KeyError("not ours")

    def write(_: bytes) -> Callable[[], None]:
        (tmp_path / "x").write_text("x")
        return sound

    def read_elsewhere(_: bytes) -> Callable[[], None]:
        Path("/etc/hostname").read_bytes()
        return sound

    ways: dict[str, tuple[str, Callable[[bytes], Callable[[], None]]]] = {
        "accepted": ("accepted", lambda _: sound),
        "refused": ("refused", refuse),
        "another error": ("finding", tell_all),
        "an unsound value": ("finding", lambda _: unsound),
        "a written file": ("finding", write),
        "a file read elsewhere": ("finding", read_elsewhere),
    }
    assert {name: _target(read).try_one(b"").kind for name, (_, read) in ways.items()} == {
        name: kind for name, (kind, _) in ways.items()
    }


def test_findings_are_kept_once_and_counted(tmp_path: Path) -> None:
    def read(data: bytes) -> Callable[[], None]:
        raise KeyError(len(data))

    tally = Tally("broken", tmp_path)
    run(_target(read), tally, seconds=0.05, seed=0)
    assert tally.tried == tally.found > 1
    assert len(tally.findings) == 1
    assert [path.read_bytes() for path in tmp_path.glob("*.bin")] == [b"x"]
    assert f"{tally.tried:,} inputs" in tally.told(1.0)


def test_a_folder_is_packed_and_unpacked() -> None:
    parcel = {"a.json": (b"f", b"{}"), "pipe": (b"p", b""), "link": (b"l", b"/etc/passwd")}
    assert unpack(pack(parcel)) == parcel
    assert unpack(pack({"../x": (b"f", b""), "/x": (b"f", b"")})) == {}
    assert unpack(b"\xff") == {}


def test_what_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def never_end(_: bytes) -> Callable[[], None]:
        while True:
            with suppress(Exception):
                time.sleep(0.01)

    monkeypatch.setattr("fuzz.watch.MOST_SECONDS", 0.1)
    outcome = _target(never_end).try_one(b"")
    assert outcome.kind == "finding"
    assert "takes more than" in outcome.detail
