"""From training to a folder that plain peft loads, in an environment that has no adaptkit."""

import json
import subprocess
import sys
import venv
from pathlib import Path

import peft
import pytest
import torch

import adaptkit
from adaptkit.format.card import card_gaps
from adaptkit.format.folder import Folder
from adaptkit.format.hashes import require_known
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

backbone, folder, ids = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
model = PeftModel.from_pretrained(AutoModel.from_pretrained(backbone), folder).eval()
with torch.no_grad():
    vectors = [model(input_ids=torch.tensor([row])).last_hidden_state.mean(dim=1)[0].tolist() for row in ids]
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


@pytest.mark.skipif(sys.platform == "win32", reason="environments are laid out otherwise")
def test_peft_alone_gives_the_same_vectors(python: Path, tmp_path: Path) -> None:
    backbone = saved_backbone(tmp_path / "backbone")
    model = adaptkit.load_model(backbone)
    folder = tmp_path / "sw"
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
    model.attach(sw)
    ids = model.backbone.probe_inputs()
    ours = model.encode_ids(ids, stack=sw)
    assert not torch.allclose(ours, model.encode_ids(ids), atol=1e-3)
    command = [str(python), "-I", "-c", THEIRS, str(backbone), str(folder), json.dumps(ids)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert result.returncode == 0, result.stderr
    torch.testing.assert_close(torch.tensor(json.loads(result.stdout.splitlines()[-1])), ours, atol=1e-5, rtol=1e-5)
