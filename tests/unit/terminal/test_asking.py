from typing import Any

import pytest

from adaptkit.terminal.asking import as_typed, files_as_typed, shell_words


@pytest.mark.parametrize(
    ("option", "python", "shell"),
    [
        ({"overwrite": True}, "overwrite=True", "--overwrite"),
        ({"text": ...}, "text=...", "--text"),
        ({"objective": "mlm"}, "objective='mlm'", "--objective mlm"),
        ({"source_lang": "en"}, "source_lang='en'", "--source-lang en"),
        ({"max_steps": 100}, "max_steps=100", "--max-steps 100"),
        ({"zoo": ["a", "b"]}, "zoo=['a', 'b']", "--zoo a --zoo b"),
        (
            {"columns": {"text": ..., "label": "stars"}},
            "columns={'text': ..., 'label': 'stars'}",
            "--columns text=NAME --columns label=stars",
        ),
    ],
)  # fmt: skip
def test_an_option_is_named_as_whoever_asked_would_type_it(option: dict[str, Any], python: str, shell: str) -> None:
    assert as_typed(**option) == python
    with shell_words():
        assert as_typed(**option) == shell
    assert as_typed(**option) == python


def test_a_file_for_each_is_named_as_whoever_asked_would_type_it() -> None:
    assert files_as_typed("parallel", ("ha", "sw")) == "parallel={'ha': ..., 'sw': ...}"
    with shell_words():
        assert files_as_typed("parallel", ("ha", "sw")) == "--parallel ha=FILE --parallel sw=FILE"
