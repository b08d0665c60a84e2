"""Whether a folder holds what the same transfer has made, told in its words before anything is written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from adaptkit.errors import ConfigError
from adaptkit.plans import changed_since, require_agreed
from adaptkit.plans.changed import ChangedOption
from adaptkit.requests import Planning
from adaptkit.requests.plan import TrainingPlan
from adaptkit.terminal.amounts import counted
from adaptkit.terminal.asking import as_typed, option_name


@dataclass(frozen=True)
class Agreement:
    """A plan beside what is in its folder.

    `examples` are the rows that it writes of labelled examples in `source`.
    """

    plan: TrainingPlan
    planning: Planning
    source: str
    examples: Sequence[str]

    def require(self) -> None:
        """See that what is there was made with the same options.

        Raises:
            ConfigError: It was made with other ones, which are named.
        """
        try:
            require_agreed(self.plan, self.planning)
        except ConfigError as error:
            why = "; ".join(dict.fromkeys(self._told())) or "an adapter in it is not the one that was trained there"
            raise ConfigError(
                f"{self._place} holds this transfer with other options, and nothing was trained or written: {why}. Put "
                f"them back as they were, or name another {as_typed(output=...)}; {as_typed(overwrite=True)} trains "
                "again what they are for."
            ) from error

    @property
    def _place(self) -> Path:
        return self.plan.path.parent

    def _told(self) -> Iterator[str]:
        changed = [(id_, each) for id_, all_ in changed_since(self.plan, self.planning).items() for each in all_]
        others = any(each.name == f"data.{self.source}" for _, each in changed)
        for id_, each in changed:
            name, _, language = each.name.partition(".")
            if name == "data" and language == self.source:
                yield from self._of_examples(each.before)
            elif name == "data" and not others:
                yield (
                    f"the text of {option_name('parallel')} has changed, and with it the translated words or names. "
                    "What was trained of that text itself would stay as it is"
                )
            elif name == "on":
                yield f"{as_typed(adapter=...)} is another one"
            elif name != "data":
                steps = name == "max_steps" and id_.startswith("task/")
                yield str(ChangedOption(option_name("task_steps" if steps else name), each.before, each.now))

    def _of_examples(self, before: object) -> Iterator[str]:
        """What is other in the labelled examples than in the file of them that was trained on."""
        name = option_name("data")
        for file in before if isinstance(before, list) else []:
            trained = self._place / Path(file).name
            if not trained.is_file():
                yield f"{name} has other examples"
                continue
            rows = trained.read_text(encoding="utf-8").splitlines()
            added, gone = (len(set(one) - set(other)) for one, other in ((self.examples, rows), (rows, self.examples)))
            yield (
                f"{name} has other examples than {trained}, which was trained on: "
                f"{counted(added, 'example')} more, {gone:,} of those {len(rows):,} no more"
                if added or gone
                else f"{name} has the examples of {trained} in another order or number"
            )
