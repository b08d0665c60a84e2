"""The settings of a training loop, from what was asked for."""

from adaptkit.requests import Output, Run
from adaptkit.training import WARMUP_SHARE, TrainingSettings

_LEAST_STEPS_BETWEEN_EVALUATIONS = 20
_MOST_STEPS_BETWEEN_EVALUATIONS = 200


def settings_of(
    run: Run,
    output: Output,
    *,
    max_steps: int,
    learning_rate: float,
    head_warmup_steps: int = 0,
    warmup_share: float = WARMUP_SHARE,
) -> TrainingSettings:
    """The settings of a run; these steps and this rate are meant where it leaves them open.

    Raises:
        ConfigError: A warm-up as long as the run.
    """
    steps = max_steps if run.max_steps is None else run.max_steps
    return TrainingSettings(
        max_steps=steps,
        batch_size=run.batch_size,
        learning_rate=learning_rate if run.learning_rate is None else run.learning_rate,
        head_warmup_steps=head_warmup_steps,
        warmup_share=warmup_share,
        evaluate_every=run.evaluate_every
        or min(max(steps // 5, _LEAST_STEPS_BETWEEN_EVALUATIONS), _MOST_STEPS_BETWEEN_EVALUATIONS),
        patience=run.patience or None,
        least_gain=run.least_gain,
        seed=run.seed,
        precision=run.precision,
        gradient_checkpointing=run.gradient_checkpointing,
        graphs=run.graphs,
        checkpoint_every=output.checkpoint_every,
        checkpoint_minutes=output.checkpoint_minutes,
    )
