"""Ridge regression: what a layer adds to a text's vector is found in closed form, and no gradient is computed."""

from dataclasses import dataclass

from adaptkit.later import later
from adaptkit.objectives.objective import Objective
from adaptkit.options import Options, option


@dataclass(frozen=True, kw_only=True)
class Ridge(Options):
    """The vectors of translations less those of the sentences, regressed on what a layer counts in the sentences.

    Ridge regression (Hoerl and Kennard 1970, doi:10.1080/00401706.1970.10488634) in its dual form: time grows with the
    cube of the number of pairs, memory with the square.

    Raises:
        ConfigError: A number that cannot be right.
    """

    penalty: float = option(1.0, "penalty on the weights; texts weigh 1 on average", above=0)
    least_texts: int = option(2, "texts that what is counted must be in; what fewer have gets no weight", least=1)
    most_pairs: int = option(
        8000, "pairs that are fitted on at most: 8,000 need half a GiB, twice as many four times that", least=1
    )


RIDGE = Objective(
    name="ridge",
    title="ridge regression",
    options=Ridge,
    training=later("adaptkit.training.objectives.ridge", "RidgeTraining"),
    epochs=1,
    most_steps=100_000,
    paper="ridge regression: Hoerl and Kennard 1970, doi:10.1080/00401706.1970.10488634",
    needs_translations=True,
    backbone="encoder",
    closed_form=True,
    idle=("learning_rate", "gradient_checkpointing", "evaluate_every", "patience", "least_gain"),
    heldout="distance of sentence vectors from those of their translations",
    run=later("adaptkit.training.closed_run", "ClosedRun"),
)
