"""What `python -m fuzz` has found, kept."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from adaptkit.composition import AdapterId, Average, Stack
from adaptkit.errors import AdaptkitError, ConfigError, LimitExceeded, MalformedConfig
from adaptkit.evaluation.report.markdown import render_markdown
from adaptkit.format.spec import CONFIG_FILE, RECORD_FILE
from adaptkit.interchange import import_peft
from adaptkit.model import AdaptedModel
from adaptkit.storage import load_adapter
from tests.hostile import put
from tests.unit.evaluation.invented import invented_results


@pytest.mark.parametrize("levels", [17, 5_000])
def test_averages_within_averages_without_end(levels: int) -> None:
    """It was a RecursionError."""
    with pytest.raises(ConfigError, match="deeper than 16 levels"):
        Stack.parse("average(" * levels + "a" + ": 1)" * levels)


def test_averages_as_deep_as_may_be() -> None:
    part: str | Average = "a"
    for _ in range(16):
        part = Average(part)
    assert Stack.parse(str(part)) == Stack(part)


def test_averages_side_by_side_are_not_deep() -> None:
    ids = [f"a{number}" for number in range(40)]
    assert Stack.parse(" > ".join(f"average({name}: 1.0)" for name in ids)).ids == tuple(ids)


@pytest.mark.parametrize("text", ["x" * 10**6, "language/" + "x" * 10**6, "x; " * 10**5, "a > " * 10**5 + ";"])
def test_a_message_does_not_repeat_a_long_text(text: str) -> None:
    """It was as long as what was given, or longer."""
    for read in (Stack.parse, AdapterId.parse):
        try:
            read(text)
        except AdaptkitError as error:
            assert len(str(error)) < 5_000  # noqa: PT017 - one of the two reads some of these


@pytest.mark.parametrize("file", [RECORD_FILE, CONFIG_FILE])
def test_a_number_of_json_that_is_infinite_for_python(file: str, folder: Path) -> None:
    """`1e999` was read as infinity, which is no JSON; only the fields that are checked for it refused it."""
    text = (folder / file).read_text()
    (folder / file).write_text(text.replace("{", '{"lora_alpha": 1e999, ', 1).replace('"lora_alpha": 8', '"x": 8', 1))
    with pytest.raises(MalformedConfig, match="beyond every number"):
        load_adapter(folder)


def test_results_that_name_a_metric_without_end() -> None:
    """600 times the same two took more than 5 s."""
    results = invented_results()
    with pytest.raises(ConfigError, match="a metric twice"):
        render_markdown(replace(results, metrics=results.metrics * 300))


def test_a_pattern_of_alphas_for_every_module_there_could_ever_be(model: AdaptedModel, folder: Path) -> None:
    """Each name was compiled anew for each module: minutes for a file of 4 MiB. (Found by hand, beside the fuzzer.)"""
    (folder / RECORD_FILE).unlink()
    put(folder, CONFIG_FILE, "alpha_pattern", {f"a{number}": 1 for number in range(200_000)})
    with pytest.raises(LimitExceeded, match="alpha_pattern"):
        import_peft(folder, lang="sw", backbone=model)
    put(folder, CONFIG_FILE, "alpha_pattern", {**{f"a{number}": 1 for number in range(3_000)}, "query": 3})
    assert json.loads((folder / CONFIG_FILE).read_text())["lora_alpha"] == 8
    adapter = import_peft(folder, lang="sw", backbone=model)
    assert adapter.id == "language/sw"
