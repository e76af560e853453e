"""Models behind one set of calls: compiled code picks a model's functions by the type of its state, and inlines them.

So one loop serves every model and is cached on disk. Models register their rules; nothing here knows them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NoReturn, TypeVar

from numba.extending import overload

from allocators.compiled import sources
from allocators.compiled.jit import INLINED

R = TypeVar("R", bound=tuple[Any, ...])


def _unknown(state: object, *arguments: object) -> NoReturn:
    raise TypeError(f"no rules are registered for {type(state).__name__}")


class RuleTable(Generic[R]):
    """Rules, a NamedTuple of functions, by the class of the state that they take first, a NamedTuple of arrays."""

    def __init__(self) -> None:
        self._rules: dict[type, R] = {}

    def register(self, state: type, rules: R) -> None:
        """Make the rules known. Their functions are `compiled` ones but for those that only Python calls."""
        self._rules[state] = rules
        sources.reach(state, rules)

    def call(self, name: str, otherwise: Callable[..., Any] = _unknown) -> Any:
        """A function that calls the rule `name` of any state; in Python `otherwise`, with what is no such state."""

        def call(state: Any, *arguments: Any) -> Any:
            rules = self._rules.get(type(state))
            return (otherwise if rules is None else getattr(rules, name))(state, *arguments)

        def chosen(state: Any, *arguments: Any) -> Any:
            return getattr(self._rules.get(getattr(state, "instance_class", type(None))), name, None)

        # The rules' own functions stand in for the call; their parameters have other names, hence not strict.
        overload(call, jit_options=INLINED, strict=False)(chosen)
        return call
