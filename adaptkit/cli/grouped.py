"""A command whose help lists its options by what has them."""

from typing import Any

from typer.core import TyperCommand

from adaptkit.requests.flags import flags, plan_flags


class GroupedCommand(TyperCommand):
    """A training, as far as help is concerned: a heading for each group of flags."""

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - of the click that typer comes with
        """Write the options of each group under its heading, and what is of none under a last one."""
        group_of = {flag.option.name: flag.group for flag in (*flags(), *plan_flags())}
        groups: dict[str, list[tuple[str, str]]] = {group: [] for group in group_of.values()}
        for parameter in self.get_params(ctx):
            said = parameter.get_help_record(ctx)
            if said is not None:
                groups.setdefault(group_of.get(parameter.name or "", "Help"), []).append(said)
        for group, said_of_it in groups.items():
            if said_of_it:
                with formatter.section(group):
                    formatter.write_dl(said_of_it)
