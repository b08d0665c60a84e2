"""Options of the command are those of requests and of the values that they hold."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adaptkit.cli.options import request_options
from adaptkit.data.source import Source
from adaptkit.errors import ConfigError
from adaptkit.objectives import OBJECTIVES
from adaptkit.options import options_of
from adaptkit.requests import AnyRequest, LanguageRequest, TextRequest
from adaptkit.requests.flags import flags
from adaptkit.task_types import TASK_TYPES


def asked(**values: object) -> TextRequest:
    """The request that a command gets for these options."""
    requests: list[AnyRequest] = []
    request_options(requests.append)(**{"lang": "sw", **values})
    assert isinstance(requests[0], TextRequest)
    return requests[0]


WITH_VOCABULARY = [name for name, row in OBJECTIVES.items() if "full_vocabulary" in options_of(row.options)]


@pytest.mark.parametrize("command", ["train", "estimate"])
def test_every_option_has_a_flag_with_help(command: str, adaptkit: Callable[..., Any]) -> None:
    text = adaptkit(command, "--help").out
    of_a_run = {
        "output",
        "resume",
        "resume_or_start",
        "checkpoint_every",
        "checkpoint_minutes",
        "log_with",
    }  # --overwrite and --progress are options of a plan too, whose costs are estimated
    left_out = of_a_run if command == "estimate" else set()
    for name in (flag.option.name for flag in flags()):
        flag = f"--{name.replace('_', '-')}"
        found = re.search(rf"^  {flag}\b[^\n]*(?:  |\n +)\w", text, re.MULTILINE)
        assert bool(found) is (name not in left_out), flag
    assert f"<auto|{'|'.join(OBJECTIVES)}>" in text
    assert "[default: 32]" in text
    assert re.search(r"--seed <int> +seed of everything random +\[default: 0\]", text)


def test_help_says_what_a_flag_takes_and_no_type_of_python(adaptkit: Callable[..., Any]) -> None:
    for command in ("train", "estimate", "evaluate", "predict", "export"):
        text = adaptkit(command, "--help").out
        assert not re.search(r"--[a-z-]+ <str>|--[a-z-]+ <list\[|Literal|None", text), command
    text = " ".join(adaptkit("train", "--help").out.split())
    assert f"--task-type <{'|'.join(TASK_TYPES)}>" in text
    assert "--embeddings <resident|paged|fp16|int8|nf4>" in text
    assert "--bits <32|16|8|4>" in text
    assert "--score-range <float> <float>" in text
    assert "--blocks <int>" in text
    assert re.search(r"--sites <name> .*each is attention\.query, .*may be repeated", text)


WRONG = {
    "--rank takes an integer, found 'x'.": ("--rank", "x"),
    "--bits takes 32, 16, 8 or 4, found '5'.": ("--bits", "5"),
    "--precision takes auto, fp32 or bf16, found 'fp8'.": ("--precision", "fp8"),
    "--learning-rate takes a number, found 'fast'.": ("--learning-rate", "fast"),
    "--normalize takes NFC, NFD, NFKC or NFKD, found 'nfx'.": ("--normalize", "nfx"),
    "--blocks takes an integer, found '0 x'.": ("--blocks", "0", "--blocks", "x"),
    "--embeddings takes resident, paged, fp16, int8, nf4, found 'fp61'. Did you mean 'fp16'?": ("--embeddings", "fp61"),
    "--max-steps must be at least 1, found 0.": ("--max-steps", "0"),
    "--rank does not go with method 'bottleneck': --rank belongs to method": ("--method", "bottleneck", "--rank", "4"),
    "--resume needs the output folder of the run to resume; give --output.": ("--resume",),
    "--text and --parallel are both given": ("--text", "a", "--parallel", "b"),
    "--head-warmup must be below --max-steps, found 9 and 9.": ("--max-steps", "9", "--head-warmup", "9"),
}


@pytest.mark.parametrize("said", WRONG)
def test_what_is_wrong_is_said_by_the_flag(said: str, adaptkit: Callable[..., Any]) -> None:
    refused = adaptkit("train", "--lang", "sw", *WRONG[said])
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith(f"ConfigError: {said}")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("predict", "sw", "--normalize", "nfx"), "--normalize takes NFC, NFD, NFKC or NFKD, found 'nfx'."),
        (
            ("export", "sw", "--output", "a", "--to", "tf"),
            "--to takes peft, onnx, onnx-backbone or onnx-adapter, found 'tf'.",
        ),
    ],
)
def test_other_commands_say_it_alike(command: tuple[str, ...], said: str, adaptkit: Callable[..., Any]) -> None:
    assert adaptkit(*command).err == f"ConfigError: {said}\n"


def test_help_says_what_has_an_option(adaptkit: Callable[..., Any]) -> None:
    text = adaptkit("train", "--help").out
    for title, flag in {
        "What is trained": "--lang",
        "Task adapters": "--data",
        "Methods lora, dora": "--rank",
        "Method bottleneck": "--reduction-factor",
        "Methods lora, bottleneck, fusion, dora, ia3": "--sites",
        "Objectives distill, gloss": "--token-anchor",
        f"Objectives {', '.join(WITH_VOCABULARY)}": "--full-vocabulary",
        "The run": "--max-steps",
        "The backbone": "--bits",
        "What is written": "--output",
    }.items():
        assert re.search(rf"^{title}:\n(  .*\n)*?  {flag}\b", text, re.MULTILINE), title


@pytest.mark.parametrize(
    ("beside", "shown", "hidden"),
    [
        (("--method", "bottleneck"), ["--reduction-factor", "--sites", "--token-anchor", "--data"], ["--rank"]),
        (("--method=dora", "--lang", "sw"), ["--rank", "--token-anchor", "--text"], ["--reduction-factor", "--data"]),
        (("--task", "ner", "--lang", "sw"), ["--data", "--rank", "--r-drop"], ["--parallel", "--token-anchor"]),
        (("--domain", "medical"), ["--text"], ["--data", "--new-pieces", "--r-drop"]),
        (("--objective", "distill"), ["--token-anchor"], ["--whole-words", "--penalty"]),
    ],
)
def test_help_is_of_what_stands_beside_it(
    beside: tuple[str, ...], shown: list[str], hidden: list[str], adaptkit: Callable[..., Any]
) -> None:
    whole = adaptkit("train", "--help").out
    for asked in ((*beside, "--help"), ("--help", *beside)):
        told = adaptkit("train", *asked).out
        assert "--output" in told
        for flag in (*shown, *hidden):
            assert re.search(rf"^  {flag}\b", whole, re.MULTILINE), flag
            assert bool(re.search(rf"^  {flag}\b", told, re.MULTILINE)) == (flag in shown), flag


def test_defaults_are_those_of_the_request() -> None:
    assert asked() == LanguageRequest(lang="sw")


@pytest.mark.parametrize("name", ["text", "parallel", "sites", "blocks"])
def test_a_list_that_was_not_given_is_none(name: str) -> None:
    nothing: list[str] = []
    for left_out in (nothing, None):
        found = asked(**{name: left_out})
        assert (vars(found) | vars(found.method))[name] is None


def test_one_text_stays_a_name_and_several_are_files() -> None:
    assert asked(text=["owner/name"]).text == "owner/name"
    assert asked(text=["a", "b"]).text == [Path("a"), Path("b")]


def test_two_plain_parallel_files_are_a_pair_and_others_a_list() -> None:
    assert asked(parallel=["en.txt", "sw.txt.gz"]).parallel == (Path("en.txt"), Path("sw.txt.gz"))
    assert asked(parallel=["a.jsonl", "b.jsonl"]).parallel == [Path("a.jsonl"), Path("b.jsonl")]
    assert asked(parallel=["a.tsv"]).parallel == Path("a.tsv")
    assert asked(parallel=["a", "b", "c"]).parallel == [Path("a"), Path("b"), Path("c")]


def test_a_comma_makes_a_pair_of_plain_files(tmp_path: Path) -> None:
    (tmp_path / "a,b").touch()
    pair = Path("a.en"), Path("a.ha.gz")
    assert asked(parallel=["a.en,a.ha.gz"]).parallel == pair
    assert asked(parallel=["a.en,a.ha.gz", "b.tmx"]).parallel == [pair, Path("b.tmx")]
    assert asked(parallel=["a.en,a.ha.gz", "b.txt"]).parallel == [pair, Path("b.txt")]
    assert asked(parallel=[f"{tmp_path}/a,b"]).parallel == tmp_path / "a,b"


def test_what_is_known_of_a_source_stands_behind_it() -> None:
    written = ["a.en,a.ha,weight=2,licence=CC BY 4.0", "b.tmx,name=health,source_lang=fr", "c.jsonl"]
    assert asked(parallel=written).parallel == [
        Source((Path("a.en"), Path("a.ha")), weight=2.0, licence="CC BY 4.0"),
        Source(Path("b.tmx"), name="health", source_lang="fr"),
        Path("c.jsonl"),
    ]
    assert asked(text=["owner/name,weight=3"]).text == Source("owner/name", weight=3.0)
    assert asked(text=["a.csv,column=b", "c.txt"]).text == [Source(Path("a.csv"), column="b"), Path("c.txt")]


def test_a_fact_that_is_nearly_one_is_told() -> None:
    with pytest.raises(ConfigError, match=r"'license=CC0-1.0' is not a file.*Did you mean licence=\?"):
        asked(parallel=["c.jsonl,license=CC0-1.0"])


@pytest.mark.parametrize("written", ["a,b,c", "weight=2", "a.tmx,weight=much", "a.tmx,weight=0", "a.tmx,weigth=2"])
def test_what_is_no_source_is_refused(written: str) -> None:
    with pytest.raises(ConfigError, match="source"):
        asked(parallel=[written])
