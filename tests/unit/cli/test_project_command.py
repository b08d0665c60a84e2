"""`adaptkit project` as a user types it."""

import json
from pathlib import Path

from tests.calls import train_adapter
from tests.glossaries import translated_pairs
from tests.unit.cli.conftest import Command
from tests.unit.projection.test_project import ENGLISH, PAIRS
from tests.unit.projection.test_project_tags import ENGLISH as TAGGED


def test_names_are_projected_and_written(adaptkit: Command, backbone_folder: Path, tmp_path: Path) -> None:
    train_adapter(
        task="names",
        data=ENGLISH,
        backbone=str(backbone_folder),
        max_steps=80,
        batch_size=16,
        learning_rate=5e-3,
        progress=False,
        output=tmp_path / "names",
    )
    lines = [json.dumps({"en": ours, "sw": theirs}) for ours, theirs in PAIRS]
    (tmp_path / "pairs.jsonl").write_text("\n".join(lines))
    command = (
        *("project", "--parallel", tmp_path / "pairs.jsonl", "--lang", "sw", "--names", tmp_path / "names"),
        *("--output", tmp_path / "sw.conll", "--backbone", backbone_folder),
    )
    outcome = adaptkit(*command)
    assert outcome.status == 0, outcome.err
    assert "12 sentences in sw with 12 PER (12 by same)" in outcome.out
    assert "Otieno\tB-PER" in (tmp_path / "sw.conll").read_text()
    again = adaptkit(*command)
    assert again.status == 1
    assert "is there already" in again.err


def test_parts_of_speech_are_projected_and_written(adaptkit: Command, backbone_folder: Path, tmp_path: Path) -> None:
    train_adapter(
        task="pos",
        data=TAGGED,
        backbone=str(backbone_folder),
        max_steps=2,
        batch_size=16,
        progress=False,
        output=tmp_path / "pos",
    )
    lines = [json.dumps({"en": english, "sw": ours}) for english, ours in translated_pairs(60)]
    (tmp_path / "pairs.jsonl").write_text("\n".join(lines))
    command = (
        *("project-tags", "--parallel", tmp_path / "pairs.jsonl", "--lang", "sw", "--tagger", tmp_path / "pos"),
        *("--output", tmp_path / "sw.conll", "--backbone", backbone_folder, "--sentences", "20"),
    )
    outcome = adaptkit(*command)
    assert outcome.status == 0, outcome.err
    assert "20 sentences in sw, " in outcome.out
    written = (tmp_path / "sw.conll").read_text().split("\n\n")
    assert len(written) == 21
    assert {line.partition("\t")[2] for line in written[0].splitlines()} <= {"NOUN", "VERB", "_"}
    again = adaptkit(*command)
    assert again.status == 1
    assert "is there already" in again.err
