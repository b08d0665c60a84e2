"""The file of a training plan: TOML with what is said for all, for a kind, and for each adapter."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adaptkit.composition import AdapterId
from adaptkit.config import KINDS
from adaptkit.errors import ConfigError
from adaptkit.requests.flags import flags
from adaptkit.requests.options_file import known_name, read_options_file
from adaptkit.requests.plan import BUILT_ON, TrainingPlan, meant, ordered
from adaptkit.requests.planned import BY_THE_PLAN, PlannedTraining
from adaptkit.requests.text import TextRequest
from adaptkit.terminal.asking import python_words

_NAMED_BY = {"language": "name", "domain": "domain", "task": "task"}
Table = Mapping[str, Any]


def read_plan(path: str | Path) -> TrainingPlan:
    """Read a plan and look at every option in it; no text is read, and no backbone is loaded.

    What stands at the top of the file is said for all, what stands in `[language]`, `[domain]` or `[task]` for those of
    a kind, and `[language.sw]` is the adapter `language/sw`. Names, types and bounds are those of `adaptkit train`.

    Raises:
        ConfigError: It is not there, is no TOML, has an option that there is not (the nearest is named), or one that
            cannot be right; it says in which table.
    """
    return plan_in(read_options_file(path), Path(path))


def plan_in(content: Table, file: Path) -> TrainingPlan:
    """As `read_plan`, of what stands in the file, or is to be written into it."""
    found = {f"{kind}/{name}": (kind, name, options) for kind, name, options in _adapters(file, content)}
    if not found:
        raise ConfigError(f"{file} names no adapter; a table is one, such as [language.sw] with its text.")
    folders = {id_: str(options["output"]) for id_, (_, _, options) in found.items()}
    trainings = [
        PlannedTraining(id_, _by_folder(_named(file, kind, name, options), folders))
        for id_, (kind, name, options) in found.items()
    ]
    for training in trainings:
        with told_of(file, training.id):
            _require_sound(training)
    return ordered(file, trainings)


@contextmanager
def told_of(path: Path, place: str) -> Iterator[None]:
    """Errors say in which table of the plan something is wrong, in its words and not in those of a shell."""
    with python_words():
        try:
            yield
        except ConfigError as error:
            raise ConfigError(f"{path}, {place}: {error}") from error


def _adapters(path: Path, content: Table) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Kind and name of each adapter, with what is said for it, for its kind and for all."""
    known = {flag.option.name: flag for flag in flags()}
    shared, kinds = _parted(content, known, str(path))
    for kind, table in kinds.items():
        if kind not in KINDS:
            raise ConfigError(
                f"{path}: [{kind}] is no kind of adapter, and no option; kinds are {', '.join(KINDS)}."
                f"{meant(kind, [*KINDS, *known])}"
            )
        of_kind, adapters = _parted(table, known, f"{path}, [{kind}]")
        below = {**shared, **of_kind}
        for name, own in adapters.items():
            with told_of(path, f"{kind}/{name}"):
                AdapterId(kind, name)
                plain, tables = _parted(own, known)
                if tables:
                    raise ConfigError(f"{next(iter(tables))} is a table in it; an adapter has none.")
                yield kind, name, {**below, "output": _folder(below, kind, name), **plain}


def _parted(table: Table, known: Mapping[str, object], where: str = "") -> tuple[dict[str, Any], dict[str, Table]]:
    """The options and the tables in a table; a table of an option's name without tables in it is an option."""
    options: dict[str, Any] = {}
    tables: dict[str, Table] = {}
    for name, found in table.items():
        holds_tables = isinstance(found, Mapping) and any(isinstance(part, Mapping) for part in found.values())
        if isinstance(found, Mapping) and (name.replace("-", "_") not in known or holds_tables):
            tables[name] = found
        else:
            options[known_name(name, known, where)] = found
    return options, tables


def _folder(below: Table, kind: str, name: str) -> str | None:
    """A folder that is given for several holds those of each."""
    shared = below.get("output")
    return str(Path(shared, kind, name)) if isinstance(shared, str) else shared


def _named(path: Path, kind: str, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """With the name that the table has: of the adapter, or of its language where none is given."""
    for option in _NAMED_BY.values():
        if option in options:
            raise ConfigError(f"{path}, {kind}/{name}: leave {option} out; the table's name says it.")
    if kind == "language" and "lang" not in options:
        return {**options, "lang": name}
    return {**options, _NAMED_BY[kind]: name}


def _by_folder(options: dict[str, Any], folders: Mapping[str, str]) -> dict[str, Any]:
    """With the folders of adapters of the plan in the place of their ids."""

    def folder_of(given: Any) -> Any:  # noqa: ANN401 - whatever TOML has
        if isinstance(given, list):
            return [folder_of(part) for part in given]
        return folders.get(given, given) if isinstance(given, str) else given

    return {name: folder_of(value) if name in BUILT_ON else value for name, value in options.items()}


def _require_sound(training: PlannedTraining) -> None:
    """Look at all options of a training.

    Raises:
        ConfigError: One cannot be right, or is not for a plan.
    """
    options = training.options
    if decided := [name for name in BY_THE_PLAN if name in options]:
        raise ConfigError(
            f"{decided[0]} is decided by the plan, which always continues where it stopped; leave it out."
        )
    if not isinstance(options["output"], str):
        raise ConfigError('there is no output folder; give output = "adapters" at the top of the file.')
    if ":" in str(options.get("device", "")):
        raise ConfigError(
            f"device = {options['device']!r} names one GPU; say 'cuda', and the plan gives each training its own."
        )
    request = training.request
    if isinstance(request, TextRequest):
        _ = request.languages  # looked up when it is asked for
