"""From training, and from a stack, to a folder that plain peft loads, in an environment that has no adaptkit."""

import json
import subprocess
import sys
import venv
from pathlib import Path

import peft
import pytest
import torch

import adaptkit
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import card_gaps
from adaptkit.format.folder import Folder
from adaptkit.format.hashes import require_known
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from tests.adapters import random_adapter
from tests.calls import train_adapter
from tests.saved import saved_backbone

PAIRS = adaptkit.sample_pairs("sw")
# What a colleague types who has transformers and peft.
THEIRS = """
import importlib.util, json, sys
assert importlib.util.find_spec("adaptkit") is None
import torch
from peft import PeftModel
from transformers import AutoModel

backbone, ids, folders = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:]
vectors = []
for folder in folders:
    model = PeftModel.from_pretrained(AutoModel.from_pretrained(backbone), folder).eval()
    with torch.no_grad():
        vectors += [model(input_ids=torch.tensor([row])).last_hidden_state.mean(dim=1)[0].tolist() for row in ids]
print(json.dumps(vectors))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the packages of this one, but none that is installed editable: those are in other .pth."""
    place = tmp_path_factory.mktemp("elsewhere")
    venv.create(place, with_pip=False)
    (packages,) = place.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(f"{Path(peft.__file__).parents[1]}\n")
    return place / "bin" / "python"


def trained(model: AdaptedModel, folder: Path) -> Adapter:
    sw = train_adapter(
        lang="sw",
        parallel=PAIRS,
        source_lang="en",
        backbone=model,
        max_steps=5,
        licence="CC0-1.0",
        output=folder,
        progress=False,
    )
    require_known(Folder(folder))
    assert card_gaps(sw.card) == ["a score with and without"]
    return sw


@pytest.mark.skipif(sys.platform == "win32", reason="environments are laid out otherwise")
def test_peft_alone_gives_the_same_vectors(python: Path, tmp_path: Path) -> None:
    """Of an adapter as it was saved, and of a stack: one process, as starting takes most of the time."""
    backbone = saved_backbone(tmp_path / "backbone")
    model = adaptkit.load_model(backbone)
    model.attach(trained(model, tmp_path / "sw"))
    news = AdapterConfig(method=LoraConfig(rank=3, alpha=2, scaling="rank_stabilized"))
    model.attach(random_adapter(model, news, kind="domain", name="news", seed=3))
    stack = adaptkit.export_peft_stack(model, "sw > news", tmp_path / "stack")
    ids = model.backbone.probe_inputs()
    ours = [model.encode_ids(ids, stack=each) for each in ("sw", "sw > news")]
    assert not torch.allclose(ours[0], model.encode_ids(ids), atol=1e-3)
    assert not torch.allclose(ours[1], ours[0], atol=1e-3)
    command = [str(python), "-I", "-c", THEIRS, str(backbone), json.dumps(ids), str(tmp_path / "sw"), str(stack)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert result.returncode == 0, result.stderr
    theirs = torch.tensor(json.loads(result.stdout.splitlines()[-1]))
    torch.testing.assert_close(theirs, torch.cat(ours), atol=1e-5, rtol=1e-5)
