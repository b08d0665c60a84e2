import pytest

from adaptkit.cli.wording import in_shell_words

OPTIONS = frozenset({"overwrite", "text", "objective", "source_lang", "max_steps"})


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ("Give another folder, or overwrite=True.", "Give another folder, or --overwrite."),
        ("text=..., not parallel=..., or objective='mlm'.", "--text, not parallel=..., or --objective mlm."),
        ("and text=... has none", "and --text has none"),
        ("give text=....", "give --text."),
        ("say source_lang=en.", "say --source-lang en."),
        ("max_steps=100, any_order=True", "--max-steps 100, any_order=True"),
        ("no file data/text=sw/train.tsv", "no file data/text=sw/train.tsv"),
        ("alpha = 4 x rank", "alpha = 4 x rank"),
    ],
)  # fmt: skip
def test_options_are_named_as_a_shell_takes_them(python: str, shell: str) -> None:
    assert in_shell_words(python, OPTIONS) == shell


def test_a_mapping_is_said_as_repeated_options() -> None:
    message = "or name them: columns={'text': ..., 'label': 'stars'}."
    assert in_shell_words(message, frozenset({"columns", "text"})) == (
        "or name them: --columns text=NAME --columns label=stars."
    )
    assert in_shell_words(message, frozenset({"text"})) == message
