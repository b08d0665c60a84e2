"""Training plans as files: what is said for all, for a kind and for one; and what is refused, with the place."""

from pathlib import Path

import pytest

from adaptkit.errors import ConfigError
from adaptkit.requests import LanguageRequest, TaskRequest, TrainingPlan, read_plan
from adaptkit.requests.flags import flags
from adaptkit.requests.planned import BY_THE_PLAN
from adaptkit.terminal.asking import shell_words

PLAN = """
backbone = "tiny"
output = "adapters"
batch_size = 8

[language]
max_steps = 20

[language.sw]
text = "sw.txt"

[language.bantu]
lang = ["sw", "zu"]
text = {sw = "sw.txt", zu = ["a.txt,licence=CC0-1.0", "b.txt"]}
max_steps = 30

[task.topics]
data = "topics.tsv"
on = ["language/sw"]
columns = {text = "sentence"}
class_weights = {sports = 2, health = 1.5}
method = "bottleneck"
reduction_factor = 8
output = "elsewhere/topics"
"""


@pytest.fixture
def plan(tmp_path: Path) -> TrainingPlan:
    return read_plan(written(tmp_path, PLAN))


def written(folder: Path, text: str) -> Path:
    file = folder / "languages.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_what_is_shared_is_said_once(plan: TrainingPlan) -> None:
    assert [it.id for it in plan] == ["language/sw", "language/bantu", "task/topics"]
    assert [it.request.run.max_steps for it in plan] == [20, 30, None]
    assert {it.request.run.batch_size for it in plan} == {8}
    assert [str(it.folder) for it in plan] == ["adapters/language/sw", "adapters/language/bantu", "elsewhere/topics"]


def test_a_table_is_named_by_its_adapter(plan: TrainingPlan) -> None:
    sw, bantu, topics = (it.request for it in plan)
    assert isinstance(sw, LanguageRequest)
    assert isinstance(bantu, LanguageRequest)
    assert isinstance(topics, TaskRequest)
    assert (sw.lang, sw.name, bantu.name, topics.task) == ("sw", None, "bantu", "topics")
    assert bantu.languages == ("sw", "zu")


def test_tables_and_lists_are_what_a_shell_has(plan: TrainingPlan) -> None:
    topics = plan["task/topics"].request
    assert isinstance(topics, TaskRequest)
    assert topics.reading.columns == {"text": "sentence"}
    assert topics.class_weights == {"sports": 2.0, "health": 1.5}


def test_an_adapter_builds_on_one_of_the_plan_by_its_id(plan: TrainingPlan) -> None:
    topics = plan["task/topics"]
    assert topics.needs == ("language/sw",)
    assert [str(folder) for folder in topics.request.on] == ["adapters/language/sw"]


def test_what_is_built_on_comes_first(tmp_path: Path) -> None:
    domain = '[domain.d]\nlang = "en"\ntext = "d.txt"\n'
    text = f'output = "a"\n[task.t]\ndata = "t.tsv"\non = "domain/d"\n{domain}[language.sw]\n'
    assert [it.id for it in read_plan(written(tmp_path, text))] == ["domain/d", "language/sw", "task/t"]


def test_parts_are_even_and_keep_together_what_builds_on_each_other(plan: TrainingPlan) -> None:
    parts = [[it.id for it in plan.part(number, 2)] for number in (1, 2)]
    assert parts == [["language/sw", "task/topics"], ["language/bantu"]]
    assert [it.id for it in plan.only(["language/bantu"])] == ["language/bantu"]
    with pytest.raises(ConfigError, match=r"has no 'language/swa'.* Did you mean 'language/sw'\?"):
        plan.only(["language/swa"])


def test_only_options_that_decide_the_result_count_as_changed(tmp_path: Path) -> None:
    table = 'output = "a"\n[language.sw]\n'
    one, other, third = (
        read_plan(written(tmp_path, table + more))["language/sw"].deciding
        for more in ("", 'log_with = ["tensorboard"]\ndevice = "cpu"\ncheckpoint_every = 5\n', "rank = 4\n")
    )
    assert one == other != third


WRONG = {
    r"languages.toml, language/sw: there is no option 'ranks'. Did you mean rank\?": ("[language.sw]\nranks = 4"),
    r"languages.toml: there is no option 'batchsize'. Did you mean batch_size\?": "batchsize = 4\n[language.sw]",
    r"\[languages\] is no kind of adapter.* Did you mean 'language'\?": "[languages.sw]",
    r"languages.toml, language/sw: rank takes an integer, found 'x'": '[language.sw]\nrank = "x"',
    r"language/sw: max_steps must be at least 1, found 0": "[language.sw]\nmax_steps = 0",
    r"language/sw: invertible takes true or false, found 'x'": '[language.sw]\ninvertible = "x"',
    r"language/swahilii: .*swahilii.*Swahili": "[language.swahilii]",
    r"language/sw: data does not go with a language adapter": '[language.sw]\ndata = "a.tsv"',
    r"task/topics: task 'topics' needs labelled examples": "[task.topics]",
    r"language/sw: leave name out; the table's name says it": '[language.sw]\nname = "swahili"',
    r"language/sw: resume is decided by the plan": "[language.sw]\nresume = true",
    r"language/sw: device = 'cuda:1' names one GPU": '[language.sw]\ndevice = "cuda:1"',
    r"language/sw: more is a table in it": "[language.sw.more]\nrank = 4",
    r"language/s w: adapter name 's w' cannot be used": '[language."s w"]',
    r"sw and language/rw have one output folder": '[language.sw]\noutput="b"\n[language.rw]\noutput = "b"',
    r"build on each other in a circle": '[language.sw]\nstart="language/rw"\n[language.rw]\nstart = "language/sw"',
    r"names no adapter": "rank = 4",
    r"is no TOML": "[language",
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_wrong_is_said_with_its_place(message: str, tmp_path: Path) -> None:
    file = written(tmp_path, f'output = "adapters"\n{WRONG[message]}')
    with shell_words(), pytest.raises(ConfigError, match=message):
        read_plan(file)


def test_a_plan_needs_an_output_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='give output = "adapters" at the top'):
        read_plan(written(tmp_path, "[language.sw]"))


def test_a_plan_that_is_not_there_is_no_plan(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml cannot be read"):
        read_plan(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("name", sorted({flag.option.name for flag in flags()} - {*BY_THE_PLAN, "output"}))
def test_every_option_of_a_training_is_known_to_a_plan(name: str, tmp_path: Path) -> None:
    file = written(tmp_path, f'output = "a"\n[language.sw]\n{name} = 1979-05-27')
    with pytest.raises(ConfigError) as refused:
        read_plan(file)
    assert "there is no option" not in str(refused.value)
