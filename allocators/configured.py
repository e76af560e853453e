"""What an object was made with: its configuration, read off the signature of its constructor."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar, Self

from allocators.eras import Span


def written(value: Any) -> str:
    """A value as a spec has it."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return "none" if value is inspect.Parameter.empty else str(value)


class Configured:
    """An object whose constructor's arguments, JSON-safe, are its configuration.

    Each is kept in the attribute of its name, or else taken as it was given.
    """

    name: ClassVar[str]
    surroundings: ClassVar[frozenset[str]] = frozenset()
    """Arguments that are no configuration: what the object works on or in."""
    releases: ClassVar[tuple[Span, ...]] = ()
    """Which releases of the kernel have the rules of which `era`, if that is an argument."""

    _given: dict[str, Any]

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        """Note what is given, for those arguments that are not kept as attributes."""
        made = super().__new__(cls)
        given = inspect.signature(cls.__init__).bind_partial(made, *arguments, **named).arguments
        object.__setattr__(made, "_given", given)  # a subclass may be a frozen dataclass
        return made

    @property
    def arguments(self) -> dict[str, Any]:
        """All arguments, by name."""
        kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        return {
            name: getattr(self, name, self._given.get(name, parameter.default))
            for name, parameter in inspect.signature(type(self)).parameters.items()
            if parameter.kind in kinds and name not in self.surroundings
        }

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that differ from the object as `name` alone gives it."""
        parameters = inspect.signature(type(self)).parameters
        return {name: value for name, value in self.arguments.items() if value != parameters[name].default}

    @property
    def spec(self) -> str:
        """`name:key=value,...`, as on the command line."""
        settings = ",".join(f"{key}={written(value)}" for key, value in self.config.items())
        return f"{self.name}:{settings}" if settings else self.name

    def anew(self, **surroundings: Any) -> Self:
        """Another object of this configuration, in these surroundings as far as its constructor takes them."""
        accepted = inspect.signature(type(self)).parameters
        return type(self)(**self.config, **{name: value for name, value in surroundings.items() if name in accepted})

    def __repr__(self) -> str:
        settings = ", ".join(f"{key}={value!r}" for key, value in self.config.items())
        return f"{type(self).__name__}({settings})"
