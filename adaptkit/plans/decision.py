"""What is to be done for each training of a plan: nothing where its adapter is there, or train, anew or resumed."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptkit.errors import AdapterFileError, ConfigError
from adaptkit.format.folder import Folder
from adaptkit.format.record import read_record
from adaptkit.plans.changed import ChangedOption, changed_options, located
from adaptkit.plans.kept import Kept, Memory
from adaptkit.plans.outcome import Outcome, learned_in
from adaptkit.requests.output import checkpoint_folder
from adaptkit.requests.plan import BUILT_ON, TrainingPlan
from adaptkit.requests.planned import PlannedTraining
from adaptkit.terminal.asking import as_typed

_FOREIGN = "?"


@dataclass(frozen=True)
class Decision:
    """Whether a training's adapter is `finished`; if not, whether it `replaces` one, and begins `anew`.

    `before_sha256` are the weights of the adapter that is replaced, and `kept` is what was remembered. `moved` are the
    folders of adapters that it builds on which are no longer those it was trained on.
    """

    training: PlannedTraining
    kept: Kept | None
    finished: bool = False
    replaces: bool = False
    anew: bool = False
    before_sha256: str = ""
    moved: tuple[str, ...] = ()

    @property
    def steps_done(self) -> int:
        """The steps behind which it goes on; 0 where it begins."""
        return 0 if self.kept is None or self.finished or self.anew else self.kept.steps_done

    def job(self) -> Mapping[str, Any]:
        """What a process is asked that trains or measures it."""
        return {"options": dict(self.training.options), "replaces": self.replaces, "anew": self.anew}


def decisions(plan: TrainingPlan, memory: Memory, *, overwrite: bool) -> tuple[Decision, ...]:
    """What is to be done for each.

    Raises:
        ConfigError: Adapters are there, or checkpoints, that other options made, and `overwrite` is not set.
    """
    found: list[Decision] = []
    refused: list[str] = []
    for training in plan:  # each behind those that it builds on
        renewed = {it.training.folder.resolve() for it in found if not it.finished}
        try:
            found.append(decision(training, memory.of(training.id), overwrite=overwrite, renewed=renewed))
        except ConfigError as error:
            refused.append(f"{training.id}: {error}")
    if refused:
        raise ConfigError(
            f"nothing of {plan.path} was trained. {' '.join(refused)} Put the options back as they were, or name "
            f"another output folder; {as_typed(overwrite=True)} trains these again and replaces what is there."
        )
    return tuple(found)


def decision(
    training: PlannedTraining, kept: Kept | None, *, overwrite: bool, renewed: Collection[Path] = ()
) -> Decision:
    """What is to be done for one, where the adapters in `renewed` are trained before it.

    Raises:
        ConfigError: Other options made what is there, and `overwrite` is not set.
    """
    there = _weights_in(training.folder)
    changed = "; ".join(map(str, changes_of(training, kept)))
    moved = () if kept is None else tuple(_moved(training, kept, renewed))
    if there is None:
        begun = bool(changed or moved) and checkpoint_folder(training.folder).exists()
        if begun and changed and not overwrite:
            raise ConfigError(f"it was begun with other options ({changed}), and its checkpoint is there.")
        return Decision(training, kept, anew=begun, moved=moved)
    if kept is not None and not changed and _is_its_own(kept, there):
        if not moved:
            return Decision(training, kept, finished=True)
        return Decision(training, kept, replaces=True, anew=True, before_sha256=there, moved=moved)
    # What was to be replaced before is replaced now.
    agreed = kept is not None and not changed and there == kept.before_sha256
    if not (overwrite or agreed):
        raise ConfigError(_why(training, kept, changed))
    anew = bool(changed or moved)
    return Decision(training, kept, replaces=True, anew=anew, before_sha256=there, moved=moved)


def built_on(training: PlannedTraining) -> dict[str, str]:
    """The SHA-256 of the weights in each folder that a training builds on, of those that are there."""
    found = {folder: _weights_in(Path(folder)) for folder in _below(training)}
    return {folder: weights for folder, weights in found.items() if weights is not None}


def _below(training: PlannedTraining) -> list[str]:
    """The folders that a training builds on."""
    given = [training.options.get(name, []) for name in BUILT_ON]
    return [str(part) for each in given for part in (each if isinstance(each, list) else [each])]


def _moved(training: PlannedTraining, kept: Kept, renewed: Collection[Path]) -> Iterator[str]:
    """The folders whose adapters are, or will be, other ones than those that it was trained on."""
    here = Path.cwd()
    now = {located(folder, here): weights for folder, weights in built_on(training).items()}
    # An older adaptkit did not remember on what it was trained.
    before = {located(folder, kept.named_from or here): weights for folder, weights in kept.built_on.items()}
    typed = {located(folder, here): folder for folder in _below(training)}
    for folder in dict.fromkeys([*before, *typed]):
        was = before.get(folder)
        if Path(folder).resolve() in renewed or (was is not None and now.get(folder, was) != was):
            yield typed.get(folder, folder)


def elsewhere(training: PlannedTraining, kept: Kept | None) -> Outcome:
    """What is known of a training that this run of the plan leaves out."""
    there = _weights_in(training.folder)
    if kept is not None and there is not None and _is_its_own(kept, there):
        return was_done(training, kept)
    error = "left out of this run" if kept is None else f"left out of this run; {kept.state} by another"
    return Outcome(id=training.id, came="left out", folder=training.folder, error=error)


def was_done(training: PlannedTraining, kept: Kept | None) -> Outcome:
    """An adapter that an earlier run has made."""
    elapsed_s = 0.0 if kept is None else kept.elapsed_s
    learned = learned_in(training.folder)
    return Outcome(id=training.id, came="was done", folder=training.folder, elapsed_s=elapsed_s, learned=learned)


def _is_its_own(kept: Kept, there: str) -> bool:
    """Whether weights are what came out; of a plan that was killed, what came since."""
    if kept.weights_sha256:
        return there == kept.weights_sha256
    return kept.state == "begun" and there not in (kept.before_sha256, _FOREIGN)


def _why(training: PlannedTraining, kept: Kept | None, changed: str) -> str:
    if kept is None:
        return f"{training.folder} is there, and this plan has not made it."
    if changed:
        return f"it was trained with other options ({changed})."
    return f"{training.folder} is not the adapter that this plan has made."


def changes_of(training: PlannedTraining, kept: Kept | None) -> tuple[ChangedOption, ...]:
    """The options of a training that are not those which are remembered of it."""
    if kept is None:
        return ()
    return tuple(changed_options(kept.options, training.deciding, place=kept.named_from))


def _weights_in(folder: Path) -> str | None:
    """The SHA-256 of the weights in an adapter's folder; None where nothing is there."""
    if not folder.exists():
        return None
    try:
        return read_record(Folder(folder)).weights_sha256
    except AdapterFileError:
        return _FOREIGN
