"""What a card says of a training that never was."""

from adaptkit.format.card import TrainingFacts

FACTS = TrainingFacts(
    objective="distill",
    steps=1,
    tokens=1,
    elapsed_s=1.0,
    tokens_per_s=1.0,
    peak_memory_bytes=1,
    heldout_loss_before=2.0,
    heldout_loss_after=1.0,
    pseudo_perplexity_before=None,
    pseudo_perplexity_after=None,
    stopped_because="all steps done",
    settings={"lang": "sw"},
)
