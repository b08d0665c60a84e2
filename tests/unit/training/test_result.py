"""What speaks against a run."""

import pytest

from adaptkit.training.result import doubt_of


@pytest.mark.parametrize(
    ("after", "constant", "doubt"),
    [
        (1.05, 1.06, "so nothing was learned"),
        (0.01, 1.06, None),
        (0.01, None, None),
        (0.01, -0.0, None),  # one held-out label: the same answer to all is right
        (1.2, -0.0, "never better than at the start"),
    ],
)
def test_a_run_is_doubted_beside_its_start_and_beside_the_same_answer_to_all(
    after: float, constant: float | None, doubt: str | None
) -> None:
    found = doubt_of({"loss": 1.1}, {"loss": after}, constant)
    assert found is None if doubt is None else doubt in str(found)
