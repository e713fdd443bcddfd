"""From the JSON of a card back to the frozen dataclasses it was written from."""

import dataclasses
import typing
from typing import Any, TypeVar

_T = TypeVar("_T")


def from_dict(cls: type[_T], values: dict[str, Any]) -> _T:
    """Rebuild a (nested) frozen dataclass from ``dataclasses.asdict`` after a trip through JSON.

    JSON turns tuples into lists; this turns them back. Where a field may be one of several
    dataclasses, the one with these fields is taken. Raises ``TypeError`` for unknown fields.
    """
    hints = typing.get_type_hints(cls)
    return cls(**{name: _restore(hints.get(name), value) for name, value in values.items()})


def _restore(hint: Any, value: Any) -> Any:
    if isinstance(value, dict):
        for option in (hint, *typing.get_args(hint)):
            if dataclasses.is_dataclass(option) and {f.name for f in dataclasses.fields(option)} >= set(value):
                return from_dict(typing.cast(type, option), value)
    return tuple(value) if isinstance(value, list) else value
