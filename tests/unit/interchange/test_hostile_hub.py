"""A hub, or a repository on it, that breaks off, lies or attacks: nothing unchecked lands in the folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import adaptkit
from adaptkit.errors import AdapterFileError, HubError, LimitExceeded, UnsafePath, WeightsChanged
from tests.hub_server import FakeHub, oid, serving
from tests.unit.interchange.test_hub import REPO, content, saved

WEIGHTS = "adapter_model.safetensors"


@pytest.fixture
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return content(saved(tmp_path_factory.mktemp("pushed") / "sw"))


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptkit.interchange.download.time.sleep", lambda _: None)


def entry(name: str, **changes: object) -> Callable[[dict[str, Any]], None]:
    """A change of what is said of one file; `lfs` fields by their own names."""

    def change(said: dict[str, Any]) -> None:
        found = next(item for item in said["siblings"] if item["rfilename"] == name)
        found.get("lfs", found).update(changes)

    return change


def test_a_line_that_goes_dead_once_is_not_noticed(hub: FakeHub, files: dict[str, bytes], tmp_path: Path) -> None:
    hub.push(REPO, files)
    hub.cuts = [1000]
    adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert content(tmp_path / "x") == files
    assert hub.asked(WEIGHTS)[-1].headers["range"] == "bytes=1000-"
    assert hub.sent == len(files[WEIGHTS])


def test_a_hub_that_always_begins_again(hub: FakeHub, files: dict[str, bytes], tmp_path: Path) -> None:
    hub.push(REPO, files)
    hub.ignores_ranges = True
    hub.cuts = [1000, 500]
    adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert content(tmp_path / "x") == files


def test_a_large_file_has_a_bar(
    hub: FakeHub,
    files: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hub.push(REPO, files)
    monkeypatch.setattr("adaptkit.interchange.download._SHOWN_BYTES", 10_000)
    adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    shown = capsys.readouterr().err
    assert f"{WEIGHTS}: 100%" in shown
    assert "README" not in shown


def test_the_next_attempt_goes_on_where_the_last_ended(hub: FakeHub, files: dict[str, bytes], tmp_path: Path) -> None:
    hub.push(REPO, files)
    hub.cuts = [1000, *[0] * 8]
    with pytest.raises(HubError, match="a pull continues"):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert not (tmp_path / "x").exists()
    hub.cuts.clear()
    hub.requests.clear()
    adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert content(tmp_path / "x") == files
    assert [asked.headers.get("range") for asked in hub.asked("/resolve/")] == ["bytes=1000-"]
    assert hub.sent == len(files[WEIGHTS])
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_an_attempt_at_another_commit_is_not_mixed_in(hub: FakeHub, files: dict[str, bytes], tmp_path: Path) -> None:
    hub.push(REPO, files)
    hub.cuts = [1000, *[0] * 8]
    with pytest.raises(HubError):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    hub.cuts.clear()
    newer = content(saved(tmp_path / "newer", seed=2))
    hub.push(REPO, newer)
    adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert content(tmp_path / "x") == newer
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newer", "x"]


def test_what_is_not_kept_leaves_no_folder(hub: FakeHub, files: dict[str, bytes], tmp_path: Path) -> None:
    hub.push(REPO, files)
    hub.status = {"/resolve/": 500}
    with pytest.raises(HubError, match=r"status 500. It says '\\x1b\[31mno'"):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [418, 500, 503])
def test_a_hub_that_is_ill(hub: FakeHub, tmp_path: Path, status: int) -> None:
    hub.status = {"/api/": status}
    with pytest.raises(HubError, match=f"status {status}"):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")


@pytest.mark.parametrize("name", ["adaptkit.json", "README.md", WEIGHTS])
def test_a_file_that_is_announced_too_large_is_not_fetched(
    hub: FakeHub, files: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    hub.push(REPO, files)
    hub.listing = entry(name, size=2**31 + 1)
    with pytest.raises(LimitExceeded, match="is announced with"):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert hub.asked("/resolve/") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["adaptkit.json", WEIGHTS])
def test_more_bytes_than_announced_are_not_written(
    hub: FakeHub, files: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    hub.push(REPO, files)
    hub.bodies[name] = files[name] + bytes(5000)
    with pytest.raises(HubError, match=f"{name} and sends more bytes"):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert not (tmp_path / "x").exists()
    assert not list(tmp_path.rglob(name))


@pytest.mark.parametrize("name", ["adaptkit.json", "adapter_config.json", "README.md", WEIGHTS])
def test_other_bytes_than_announced(hub: FakeHub, files: dict[str, bytes], tmp_path: Path, name: str) -> None:
    hub.push(REPO, files)
    hub.bodies[name] = files[name][:-1] + b"?"
    with pytest.raises(HubError, match=f"{name} and sends other bytes"):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert not (tmp_path / "x").exists()
    assert not list(tmp_path.rglob(name))
    hub.bodies.clear()
    adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert content(tmp_path / "x") == files


def test_fewer_bytes_than_announced(hub: FakeHub, files: dict[str, bytes], tmp_path: Path) -> None:
    hub.push(REPO, files)
    hub.bodies["adaptkit.json"] = files["adaptkit.json"][:-1]
    with pytest.raises(HubError, match="sends fewer bytes"):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_weights_of_another_adapter(hub: FakeHub, files: dict[str, bytes], tmp_path: Path) -> None:
    other = content(saved(tmp_path / "other", seed=2))
    hub.push(REPO, {**files, WEIGHTS: other[WEIGHTS]})
    with pytest.raises(WeightsChanged):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_weights_of_no_adapter_are_not_fetched(hub: FakeHub, files: dict[str, bytes], tmp_path: Path) -> None:
    hub.push(REPO, {**files, "adaptkit.json": b'{"format_version": 99}'})
    with pytest.raises(AdapterFileError, match="format version 99"):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert hub.asked(WEIGHTS) == []
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_not_an_adapters_are_not_fetched(hub: FakeHub, files: dict[str, bytes], tmp_path: Path) -> None:
    names = ["adapter_model.bin", "../../escaped", "/tmp/escaped", "modeling.py", "..\\x", "sub/adaptkit.json"]  # noqa: S108
    hub.push(REPO, {**files, **dict.fromkeys(names, b"evil")})
    hub.listing = lambda said: said["siblings"].insert(0, {"rfilename": "../x", "size": 3, "blobId": "a" * 40})
    adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert content(tmp_path / "x") == files
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert {asked.path.rpartition("/")[2] for asked in hub.asked("/resolve/")} == files.keys()


LIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a path as the commit": lambda said: said.update(sha="../../../../x"),
    "no commit": lambda said: said.pop("sha"),
    "a number as the commit": lambda said: said.update(sha=7),
    "no list of files": lambda said: said.update(siblings=5),
    "files without names": lambda said: said.update(siblings=[{}]),
    "a list as a file's name": lambda said: said["siblings"].append({"rfilename": ["x"]}),
    "a size that is a text": entry(WEIGHTS, size="12"),
    "a size below nothing": entry(WEIGHTS, size=-1),
    "no size": entry("adaptkit.json", size=None),
    "no hash": entry("adaptkit.json", blobId=None),
    "a hash that is a path": entry(WEIGHTS, sha256="../" * 21 + "x"),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_what_cannot_be_true_is_refused(
    hub: FakeHub, files: dict[str, bytes], tmp_path: Path, lie: Callable[[dict[str, Any]], object]
) -> None:
    hub.push(REPO, files)
    hub.listing = lie
    with pytest.raises(HubError):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert hub.asked("/resolve/") == []
    assert list(tmp_path.iterdir()) == []


def test_another_commit_than_the_pinned_one(hub: FakeHub, files: dict[str, bytes], tmp_path: Path) -> None:
    pinned = hub.push(REPO, files)
    other = hub.push(REPO, content(saved(tmp_path / "other", seed=2)))
    hub.listing = lambda said: said.update(sha=other)
    with pytest.raises(HubError, match=f"asked for commit {pinned}"):
        adaptkit.pull_adapter(REPO, revision=pinned, output=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_another_host_is_not_sent_the_token(hub: FakeHub, files: dict[str, bytes], tmp_path: Path) -> None:
    with serving() as other:
        hub.push(REPO, files)
        hub.token = "hf_mine"  # noqa: S105
        hub.elsewhere = other.url
        other.stored[oid(files[WEIGHTS], lfs=True)] = files[WEIGHTS]
        adaptkit.pull_adapter(REPO, output=tmp_path / "x", token="hf_mine")
        assert content(tmp_path / "x") == files
        assert [asked.method for asked in other.requests] == ["GET"]
        assert "authorization" not in other.requests[0].headers


def test_another_host_with_other_bytes(hub: FakeHub, files: dict[str, bytes], tmp_path: Path) -> None:
    with serving() as other:
        hub.push(REPO, files)
        hub.elsewhere = other.url
        other.stored[oid(files[WEIGHTS], lfs=True)] = bytes(len(files[WEIGHTS]))
        with pytest.raises(HubError, match="other bytes"):
            adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("target", ["file:///etc", "ftp://127.0.0.1", "http://"])
def test_a_redirect_that_leads_nowhere(hub: FakeHub, files: dict[str, bytes], tmp_path: Path, target: str) -> None:
    hub.push(REPO, files)
    hub.elsewhere = target
    with pytest.raises(HubError):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_symlink_that_waits_for_the_files(hub: FakeHub, files: dict[str, bytes], tmp_path: Path) -> None:
    commit = hub.push(REPO, files)
    (tmp_path / "victim").write_bytes(b"mine")
    partial = tmp_path / f".x-pull-{commit[:12]}"
    partial.mkdir()
    (partial / "README.md").symlink_to(tmp_path / "victim")
    with pytest.raises(UnsafePath):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert (tmp_path / "victim").read_bytes() == b"mine"
    assert [path.name for path in tmp_path.iterdir()] == ["victim"]
