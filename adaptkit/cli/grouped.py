"""A command whose help lists its options by what has them."""

from collections.abc import Mapping
from typing import Any

from typer.core import TyperCommand

from adaptkit.requests.flags import Flag, flags, plan_flags

_ASKED = "adaptkit.cli.grouped"
_HINT = (
    "Beside --method or --objective, --help shows the options of that one alone; beside --task, --domain or --lang, "
    "those of such an adapter."
)


class GroupedCommand(TyperCommand):
    """A training, as far as help is concerned: a heading for each group of flags, and no group of what is not asked."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - of the click that typer comes with
        """Keep what stands beside `--help`, which ends the reading of flags."""
        ctx.meta[_ASKED] = self.make_parser(ctx).parse_args(args=list(args))[0]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Write the options of each group under its heading, and what is of none under a last one."""
        flag_of = {flag.option.name: flag for flag in (*flags(), *plan_flags())}
        groups: dict[str, list[tuple[str, str]]] = {flag.group: [] for flag in flag_of.values()}
        asked = ctx.meta.get(_ASKED, {})
        for parameter in self.get_params(ctx):
            said, flag = parameter.get_help_record(ctx), flag_of.get(parameter.name or "")
            if said is not None and (flag is None or _is_for(flag, asked)):
                groups.setdefault("Help" if flag is None else flag.group, []).append(said)
        for group, said_of_it in groups.items():
            if said_of_it:
                with formatter.section(group):
                    formatter.write_dl(said_of_it)
        formatter.write_paragraph()
        formatter.write_text(_HINT)


def _is_for(flag: Flag, asked: Mapping[str, Any]) -> bool:
    """Whether a training of which so much is asked may have a flag."""
    if flag.kinds and (kind := _kind(asked)) is not None and kind not in flag.kinds:
        return False
    return not flag.choices or asked.get(flag.by) in (None, "auto") or asked[flag.by] in flag.choices


def _kind(asked: Mapping[str, Any]) -> str | None:
    # A task may have a language, and a domain has one.
    return next(
        (kind for kind, name in (("task", "task"), ("domain", "domain"), ("language", "lang")) if asked.get(name)), None
    )
