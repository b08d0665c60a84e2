"""How a worker starts: with banks or without, with all adapters read, with the modules that the command was given."""

import pickle
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from adaptkit import load_model
from adaptkit.format.spec import WEIGHTS_FILE
from adaptkit.model import AdaptedModel
from adaptkit.named_modules import import_each
from adaptkit.requests import Pretrained
from adaptkit.serving.answering import slots_for
from adaptkit.serving.api import ZooAPI
from adaptkit.serving.limits import Limits
from adaptkit.serving.refusal import Refused
from adaptkit.serving.served_zoo import ServedZoo
from adaptkit.serving.shelf import Shelf
from adaptkit.serving.spec import ZooSpec
from tests.adapters import random_adapter
from tests.saved import saved_backbone
from tests.tiny import tiny_backbone, tiny_model
from tests.zoos import LORA, made_zoo


class OnCuda(AdaptedModel):
    """One that says it is on CUDA."""

    @property
    def device(self) -> torch.device:
        return torch.device("cuda")


TEXTS = ["Mvua inanyesha.", "The goat sleeps.", "Maji ni uhai."]


def test_a_worker_with_slots_answers_by_banks(tmp_path: Path) -> None:
    backbone = saved_backbone(tmp_path / "backbone")
    zoo = made_zoo(tmp_path / "zoo", load_model(backbone))
    usual = load_model(backbone)
    stacks = [None, *sorted(usual.attach_zoo(zoo))[:2]]
    api = ZooAPI(
        zoo,
        Pretrained(str(backbone)),
        ZooSpec(Shelf(zoo), Limits()),
        api_key="",
        batch_size=8,
        cache_bytes=2**20,
        slots=8,
    )
    before = signal.getsignal(signal.SIGINT)
    try:
        api.setup("cpu")
    finally:
        signal.signal(signal.SIGINT, before)
    model = api._answering._model
    found = model.encode(TEXTS, stacks=stacks)
    torch.testing.assert_close(found, usual.encode(TEXTS, stacks=stacks), rtol=1e-4, atol=3e-5)
    assert model._passes.banks.nbytes > 0


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved_backbone(tmp_path_factory.mktemp("held") / "backbone")


@pytest.fixture(scope="module")
def own_zoo(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_zoo(tmp_path_factory.mktemp("held") / "zoo", load_model(backbone))


@pytest.fixture
def _signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def _api(zoo: Path, backbone: Path, *, preload: bool = False) -> ZooAPI:
    spec, held = ZooSpec(Shelf(zoo), Limits()), Pretrained(str(backbone))
    return ZooAPI(zoo, held, spec, api_key="", batch_size=8, cache_bytes=2**24, preload=preload)


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize("preload", [True, False])
def test_all_adapters_are_read_before_it_is_ready_where_that_is_asked(
    preload: bool, own_zoo: Path, backbone: Path
) -> None:
    api = _api(own_zoo, backbone, preload=preload)
    api.setup("cpu")
    attached = set(api._answering._model.attached)
    assert attached == ({each.id for each in Shelf(own_zoo).served} if preload else set())


def test_adapters_for_this_backbone_are_counted_and_those_that_fit_are_read(
    own_zoo: Path, backbone: Path, tmp_path: Path
) -> None:
    zoo, model = tmp_path / "zoo", load_model(backbone)
    shutil.copytree(own_zoo, zoo)
    random_adapter(tiny_model(model_type="xlm-roberta"), LORA, name="yo").save(zoo / "yo")
    own = ServedZoo(model, zoo, 2**24)
    n_own = len(list(Shelf(own_zoo).served))
    (told,) = own.preload()
    assert told.startswith(f"preloading {n_own} adapters for this backbone (1 more are for other backbones): ")
    assert len(model.attached) == n_own
    sizes = sorted(each.size_bytes for each in Shelf(own_zoo).served)
    few = load_model(backbone)
    (told,) = ServedZoo(few, own_zoo, sum(sizes) - 1).preload()
    assert "1 other will be read when first named: all take " in told
    assert told.endswith("--cache-mib 1 keeps them all")
    assert len(few.attached) == n_own - 1


def test_one_that_is_not_sound_is_left_out_and_the_others_are_served(
    own_zoo: Path, backbone: Path, tmp_path: Path
) -> None:
    zoo, model = tmp_path / "zoo", load_model(backbone)
    shutil.copytree(own_zoo, zoo)
    broken, shelf = next(Shelf(zoo).served), Shelf(zoo)
    weights = zoo / broken.place / WEIGHTS_FILE
    sound = weights.read_bytes()
    weights.write_bytes(sound[:-4] + b"\0\0\xff\x7f")
    served = ServedZoo(model, zoo, 2**24)
    _, told = served.preload()
    assert told.startswith(f"left out, as it is not sound: {broken.id}: ")
    assert len(model.attached) == len(list(shelf.served)) - 1
    shelf.tell(served.described())
    with pytest.raises(Refused) as refused:
        shelf.named(broken.id)
    assert refused.value.refusal.code == "unsound_adapter"
    assert str(tmp_path) not in refused.value.refusal.message
    weights.write_bytes(sound)
    served.load(broken.id)
    assert served.described().left_out == {}


@pytest.mark.usefixtures("_signals")
def test_a_worker_imports_what_the_command_was_told_to(own_zoo: Path, backbone: Path, tmp_path: Path) -> None:
    (tmp_path / "own_task_of_a_test.py").write_text("REGISTERED = True\n", encoding="utf-8")
    import_each([str(tmp_path / "own_task_of_a_test.py")])
    try:
        travelled = pickle.dumps(_api(own_zoo, backbone))
        del sys.modules["own_task_of_a_test"]  # as in a new process
        pickle.loads(travelled).setup("cpu")
        assert sys.modules["own_task_of_a_test"].REGISTERED
        import_each([str(tmp_path / "own_task_of_a_test.py")])  # of one file twice is once
    finally:
        sys.modules.pop("own_task_of_a_test", None)
        import_each([])


def test_a_worker_has_slots_by_itself_on_cuda_alone() -> None:
    assert slots_for(tiny_model()) == 0
    assert slots_for(OnCuda(tiny_backbone())) == 64
    assert slots_for(OnCuda(tiny_backbone("deberta-v2"))) == 0
