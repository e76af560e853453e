"""Options that count once: given twice, the command says so instead of forgetting the first."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

from sim.errors import UserError


class Command(TyperCommand):
    """A command that refuses to be given an option with one value twice."""

    def make_parser(self, ctx: Any) -> Any:
        """See click: its parser tells the options in the order in which they were given."""
        parser: Any = super().make_parser(ctx)
        parse = parser.parse_args

        def parsed_once(args: list[str]) -> Any:
            values, rest, order = parse(args)
            for param in order:
                times = order.count(param) if _has_one_value(param) else 1
                if times > 1:
                    names = "/".join(param.opts)
                    raise UserError(f"{names}: is given {times} times; {ctx.command_path} takes it once")
            return values, rest, order

        parser.parse_args = parsed_once
        return parser


def _has_one_value(param: Any) -> bool:
    return param.param_type_name == "option" and not param.multiple and not param.is_flag


def count_once(app: typer.Typer) -> None:
    """Make every command of an application one of these."""
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            count_once(group.typer_instance)
