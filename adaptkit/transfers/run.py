"""What a transfer trains: a plan in its folder, for which tags are projected between two parts of it."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from adaptkit.errors import EmptyCorpus, TrainingError
from adaptkit.format.folder import whole_file
from adaptkit.labelled import ReadingOptions
from adaptkit.plans import PlanSummary, train_plan
from adaptkit.projection import Projection, TagProjection, project_entities, project_tags
from adaptkit.recipes.place import model_of
from adaptkit.requests import Planning, Pretrained
from adaptkit.requests.plan_file import plan_in
from adaptkit.requests.written import parallels
from adaptkit.terminal.asking import the_same_again
from adaptkit.terminal.console import PlainConsole
from adaptkit.transfers.agreement import Agreement
from adaptkit.transfers.plan_text import plan_text
from adaptkit.transfers.prepared import Prepared
from adaptkit.transfers.ways import Way, Ways

PLAN = "transfer.toml"


@dataclass(frozen=True, kw_only=True)
class TransferRun:
    """A transfer that is read and has its folder; options are those of the plan, for language and task adapters."""

    prepared: Prepared
    place: Path
    backbone: Pretrained
    planning: Planning
    licence: str | None
    language_options: Mapping[str, object]
    task_options: Mapping[str, object]

    @property
    def ways(self) -> Ways:
        """All that there are."""
        return self.prepared.ways

    @property
    def chosen(self) -> Sequence[Way]:
        """Those that are trained."""
        return self.prepared.taken(self.ways)

    @property
    def trains_layers(self) -> bool:
        """Whether a language adapter with layers is among what is trained."""
        return self.ways.trained is None and self.ways.adapter in self.ways.language_adapters(self.chosen)

    def with_projected(self) -> "TransferRun":
        """With names or parts of speech projected into sentences of the language, where a way learns from them.

        If none are found, the same without that way, which is noted.
        """
        if not self._learns_projected:
            return self
        source = self.train(only=(self.ways.alone.id,))[self.ways.alone.id]
        why = "" if self._projected.exists() else self._project(source.folder)
        if not why:
            return self
        note = f"nothing was learned from projected {self._what}: {why}"
        ways, notes = replace(self.ways, projected=False), (*self.prepared.notes, note)
        without = replace(self, prepared=replace(self.prepared, ways=ways, notes=notes).with_words())
        without.write()
        return without

    def train(self, only: tuple[str, ...] = ()) -> PlanSummary:
        """Run the plan, or some of it.

        Raises:
            TrainingError: An adapter is missing.
        """
        summary = train_plan(self.place / PLAN, replace(self.planning, only=only))
        if summary.failed:
            raise TrainingError(
                f"{summary}\nThe logs are in {summary.folder / 'logs'}. {the_same_again()} tries again."
            )
        return summary

    @property
    def _learns_projected(self) -> bool:
        return any(head.projected for head in self.ways.heads(self.chosen))

    @cached_property
    def _projected(self) -> Path:
        return self.prepared.projected(self.place)

    @property
    def _what(self) -> str:
        return "parts of speech" if self._tags_every_word else "names"

    @property
    def _tags_every_word(self) -> bool:
        return self.ways.head.task_type == "pos"

    def _project(self, tagger: Path) -> str:
        """Write sentences of the language with what a task adapter finds in their translations.

        Where there is nothing, nothing is written, and it is told why.
        """
        if self.planning.progress:
            PlainConsole(stderr=True).print(f"looking for the {self._what} of {self.ways.alone.id} in the translations")
        text, model = parallels(list(self.prepared.sentences)), model_of(self.backbone)
        lang, source = self.ways.language, self.prepared.source
        found: TagProjection | Projection
        try:
            if self._tags_every_word:
                found = project_tags(parallel=text, lang=lang, tagger=tagger, backbone=model, source_lang=source)
            else:
                found = project_entities(parallel=text, lang=lang, names=tagger, backbone=model, source_lang=source)
        except EmptyCorpus as error:
            return str(error)
        if isinstance(found, Projection) and not found.kinds:
            return "none were found in the translations"
        found.save(self._projected, overwrite=True)
        return ""

    def require_same(self) -> None:
        """See that what is in the folder was made with the same options; nothing is written.

        Raises:
            ConfigError: It was made with other ones, or one cannot be right.
        """
        plan = plan_in(tomllib.loads(self._text), self.place / PLAN)
        Agreement(plan, self.planning, self.prepared.source, self.prepared.rows[self.prepared.source]).require()

    def write(self) -> None:
        """Write the plan, by which the folder is that of this transfer, and the examples."""
        self.place.mkdir(parents=True, exist_ok=True)
        with whole_file(self.place / PLAN) as partial:
            partial.write_text(self._text, encoding="utf-8")
        self.prepared.write(self.place)
        if self.planning.overwrite:
            self.prepared.remove_others(self.place)

    @property
    def _text(self) -> str:
        return plan_text(
            self.ways,
            self.chosen,
            output=self.place,
            examples=self.prepared.files(self.place),
            projected=self._projected if self._learns_projected else None,
            words=self._text_of(self.prepared.parallel),
            sentences=self._text_of(self.prepared.sentences),
            language_options=self.language_options,
            task_options={**self.task_options, **_read_as(self.prepared.reading)},
            shared=_held(self.backbone),
        )

    def _text_of(self, parallel: Sequence[str]) -> Mapping[str, object]:
        return {
            "parallel": list(parallel),
            "source_lang": self.prepared.source,
            "licence": self.licence,
        }


def _read_as(reading: ReadingOptions) -> Mapping[str, object]:
    """How the written examples are to be read, where they do not say it; their columns have the usual names."""
    return {"nli": reading.nli, "labels": list(reading.labels) or None}


def _held(backbone: Pretrained) -> Mapping[str, object]:
    """Options of a plan that say which backbone, where it is not the usual one."""
    usual = Pretrained()
    asked = {
        "backbone": backbone.backbone,
        "bits": backbone.bits,
        "embeddings": backbone.embeddings,
        "device": backbone.device,
    }
    return {
        name: str(value) if isinstance(value, os.PathLike) else value
        for name, value in asked.items()
        if value != getattr(usual, name)
    }
