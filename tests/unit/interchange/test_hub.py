"""Push and pull against a hub of this machine, which is honest here; test_hostile_hub.py has the other one."""

import json
from pathlib import Path

import pytest
from huggingface_hub import constants

import adaptkit
from adaptkit.errors import AdapterFileError, ConfigError, HubError, NotAnAdapter, SourceNotFound
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from tests.adapters import random_adapter
from tests.hub_server import FakeHub
from tests.tiny import tiny_model

FILES = {"README.md", "adapter_config.json", "adapter_model.safetensors", "adaptkit.json"}
REPO = "me/tiny-lang-sw"

# huggingface_hub 2.4 uploads large files in a way that httpx2 has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def saved(folder: Path, seed: int = 1) -> Path:
    config = AdapterConfig(method=LoraConfig(rank=4, alpha=8))
    return random_adapter(tiny_model(), config, seed=seed).save(folder, overwrite=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return saved(tmp_path / "mine" / "sw")


@pytest.mark.parametrize("lfs", [True, False])
def test_what_was_pushed_is_what_is_pulled(hub: FakeHub, folder: Path, tmp_path: Path, lfs: bool) -> None:
    hub.lfs = lfs
    pushed = adaptkit.push_adapter(folder, REPO)
    pulled = adaptkit.pull_adapter(REPO, output=tmp_path / "theirs")
    assert content(tmp_path / "theirs") == content(folder)
    assert pushed.revision == pulled.revision == hub.repos[REPO].branches["main"]
    assert pulled.adapter.weights_sha256 == adaptkit.load_adapter(folder).weights_sha256
    assert not pulled.public
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_push_is_one_commit_of_four_files(hub: FakeHub, folder: Path) -> None:
    for name in (".env", "notes.txt", "adapter_model.bin"):
        (folder / name).write_text("mine")
    adaptkit.push_adapter(folder, REPO)
    assert hub.repos[REPO].private
    assert hub.repos[REPO].files().keys() == FILES | {".gitattributes"}
    assert len(hub.repos[REPO].commits) == 2, "the hub's own, and ours"
    assert all(b"mine" not in request.body for request in hub.requests)


def test_an_adapter_in_memory_is_pushed_as_it_would_be_saved(hub: FakeHub, folder: Path, tmp_path: Path) -> None:
    adapter = adaptkit.load_adapter(folder)
    adaptkit.push_adapter(adapter, REPO, public=True, message="the first")
    there = hub.repos[REPO].files()
    assert {name: there[name] for name in FILES} == content(adapter.save(tmp_path / "again"))
    assert not hub.repos[REPO].private
    assert json.loads(hub.asked("/commit/")[0].body.splitlines()[0])["value"]["summary"] == "the first"


@pytest.mark.usefixtures("hub")
def test_a_signature_goes_along(folder: Path, tmp_path: Path) -> None:
    (folder / "adaptkit.sig").write_text("a signature")
    adaptkit.push_adapter(folder, REPO)
    adaptkit.pull_adapter(REPO, output=tmp_path / "theirs")
    assert content(tmp_path / "theirs") == content(folder)
    # Another adapter in the same place is not signed by it.
    assert content(saved(folder, seed=2)).keys() == FILES


@pytest.mark.usefixtures("hub")
def test_a_commit_stays_what_it_is(folder: Path, tmp_path: Path) -> None:
    first = adaptkit.push_adapter(folder, REPO)
    before = content(folder)
    second = adaptkit.push_adapter(saved(folder, seed=2), REPO)
    assert first.revision != second.revision
    adaptkit.pull_adapter(REPO, output=tmp_path / "old", revision=first.revision)
    adaptkit.pull_adapter(REPO, output=tmp_path / "new", revision="main")
    assert content(tmp_path / "old") == before
    assert content(tmp_path / "new") == content(folder) != before


def test_pushing_the_same_again_makes_no_commit(hub: FakeHub, folder: Path) -> None:
    assert adaptkit.push_adapter(folder, REPO).revision == adaptkit.push_adapter(folder, REPO).revision
    assert len(hub.repos[REPO].commits) == 2


@pytest.mark.usefixtures("hub")
def test_the_folder_is_named_after_the_repository(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adaptkit.push_adapter(folder, REPO)
    monkeypatch.chdir(tmp_path)
    adaptkit.pull_adapter(REPO)
    assert content(tmp_path / "tiny-lang-sw") == content(folder)


def test_an_unsound_adapter_is_not_pushed(hub: FakeHub, folder: Path) -> None:
    (folder / "adapter_model.safetensors").write_bytes(b"\x80\x02not tensors")
    with pytest.raises(AdapterFileError):
        adaptkit.push_adapter(folder, REPO)
    assert hub.requests == []


def test_a_card_that_is_a_symlink_is_not_pushed(hub: FakeHub, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to(tmp_path / "secret")
    with pytest.raises(AdapterFileError, match="symlink"):
        adaptkit.push_adapter(folder, REPO)
    assert hub.requests == []


def test_a_repository_of_something_else_is_left_alone(hub: FakeHub, folder: Path) -> None:
    hub.push(REPO, {"model.safetensors": b"a whole model"}, private=True)
    with pytest.raises(ConfigError, match=r"first: 'model\.safetensors'"):
        adaptkit.push_adapter(folder, REPO)
    assert len(hub.repos[REPO].commits) == 1


def test_nothing_becomes_public_unasked(hub: FakeHub, folder: Path) -> None:
    hub.push(REPO, {})
    with pytest.raises(ConfigError, match="public=True"):
        adaptkit.push_adapter(folder, REPO)
    assert len(hub.repos[REPO].commits) == 1
    assert adaptkit.push_adapter(folder, REPO, public=True).public


def test_a_hub_that_makes_it_public_all_the_same_gets_nothing(hub: FakeHub, folder: Path) -> None:
    hub.visibility = "public"
    with pytest.raises(HubError, match="made it public"):
        adaptkit.push_adapter(folder, REPO)
    assert hub.asked("/preupload/") == []


def test_a_card_that_the_hub_does_not_take(hub: FakeHub, folder: Path) -> None:
    hub.status = {"/api/validate-yaml": 400}
    with pytest.raises(HubError, match=r"status 400. It says '.*no'"):
        adaptkit.push_adapter(folder, REPO)
    assert len(hub.repos[REPO].commits) == 1


def test_an_upload_that_is_refused(hub: FakeHub, folder: Path) -> None:
    hub.status = {"/storage/": 403}
    with pytest.raises(HubError, match="does not allow this"):
        adaptkit.push_adapter(folder, REPO)
    assert len(hub.repos[REPO].commits) == 1


def test_a_push_that_names_no_commit(hub: FakeHub, folder: Path) -> None:
    hub.oid = "\x1b[2J"
    with pytest.raises(HubError, match="names no commit"):
        adaptkit.push_adapter(folder, REPO)


def test_what_was_changed_meanwhile_is_not_written_over(hub: FakeHub, folder: Path) -> None:
    adaptkit.push_adapter(folder, REPO)
    told = hub.repos[REPO].branches["main"]
    hub.push(REPO, {"README.md": b"theirs"})
    hub.listing = lambda said: said.update(sha=told)
    with pytest.raises(HubError, match="changed meanwhile"):
        adaptkit.push_adapter(saved(folder, seed=2), REPO)
    assert hub.repos[REPO].files()["README.md"] == b"theirs"


def test_an_adapter_in_the_way_is_kept(hub: FakeHub, folder: Path, tmp_path: Path) -> None:
    adaptkit.push_adapter(folder, REPO)
    mine = saved(tmp_path / "other", seed=2)
    before = content(mine)
    hub.requests.clear()
    with pytest.raises(ConfigError, match="overwrite=True"):
        adaptkit.pull_adapter(REPO, output=mine)
    assert (hub.requests, content(mine)) == ([], before)
    adaptkit.pull_adapter(REPO, output=mine, overwrite=True)
    assert content(mine) == content(folder)


def test_a_folder_of_other_files_is_never_replaced(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"notes\.txt"):
        adaptkit.pull_adapter(REPO, output=tmp_path, overwrite=True)
    assert hub.requests == []


@pytest.mark.usefixtures("hub")
def test_names_that_are_not_there(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="no repository me/nothing"):
        adaptkit.pull_adapter("me/nothing", output=tmp_path / "x")
    adaptkit.push_adapter(folder, REPO)
    with pytest.raises(SourceNotFound, match="no revision 'v9'"):
        adaptkit.pull_adapter(REPO, revision="v9", output=tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("name", ["sw", "../sw", "me/../sw", "me/sw/x", "me/.sw", "me/s--w", "me/sw.git", "me/", ""])
def test_names_that_cannot_be(hub: FakeHub, folder: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="owner/name"):
        adaptkit.push_adapter(folder, name)
    with pytest.raises(ConfigError, match="owner/name"):
        adaptkit.pull_adapter(name, output=tmp_path / "x")
    assert hub.requests == []


@pytest.mark.parametrize("revision", ["", " ", "../main"])
def test_revisions_that_cannot_be(hub: FakeHub, tmp_path: Path, revision: str) -> None:
    with pytest.raises(ConfigError, match="is no revision"):
        adaptkit.pull_adapter(REPO, revision=revision, output=tmp_path / "x")
    assert hub.requests == []


def test_a_repository_without_an_adapter(hub: FakeHub, tmp_path: Path) -> None:
    hub.push(REPO, {"README.md": b"only this"})
    with pytest.raises(NotAnAdapter, match=r"has no file adaptkit\.json"):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_the_token_goes_to_the_hub(hub: FakeHub, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.token = "hf_mine"  # noqa: S105
    hub.push(REPO, {}, private=True)
    with pytest.raises(HubError, match=r"status 401.*hf auth login"):
        adaptkit.push_adapter(folder, REPO)
    with pytest.raises(HubError, match=r"status 403"):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x", token="hf_other")
    adaptkit.push_adapter(folder, REPO, token="hf_mine")
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert content(tmp_path / "x") == content(folder)


def test_a_gated_repository(hub: FakeHub, tmp_path: Path) -> None:
    hub.gated = True
    hub.push(REPO, {})
    with pytest.raises(HubError, match="Ask for access"):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")


def test_offline_says_so(hub: FakeHub, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set"):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set"):
        adaptkit.push_adapter(folder, REPO)
    assert hub.requests == []


@pytest.mark.usefixtures("hub")
def test_no_network_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubError, match="does not answer"):
        adaptkit.pull_adapter(REPO, output=tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
