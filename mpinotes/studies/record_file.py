"""Records as files: JSON that a command rewrites and the chapters read, one line per row."""

import json
import types
import typing
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from mpinotes.files import AnyPath, save_atomically
from mpinotes.studies.record import Picture, Record, Row, Series, TrainingLog

RECORDS = Path(__file__).parent / "records"
"""Where the records of the released studies lie."""

TABLES: dict[str, type] = {"rows": Row, "series": Series, "pictures": Picture, "trainings": TrainingLog}
"""What stands in a file as columns and lines."""

PLAIN = {"study": str, "profile": str, "command": str, "version": str, "seconds": float, "source": str}
"""What stands in a file once."""

WANTED = {
    float: "a number",
    int: "a whole number",
    str: "text",
    list: "a list",
    dict: "names with values",
    types.NoneType: "null",
    tuple[float, ...]: "a list of numbers",
}
"""How an error calls a type."""

_T = TypeVar("_T")


def save_record(record: Record, folder: AnyPath = RECORDS) -> Path:
    """Write a record to `folder`/STUDY.json, replaced atomically; returns its path.

    >>> from tempfile import TemporaryDirectory
    >>> rows = (Row("mine", "unet", "", "psnr", 30.0, 29.0, 31.0, n=8),)
    >>> record = Record("mine", "8 volumes", {"unet": "3D U-Net"}, {}, rows)
    >>> with TemporaryDirectory() as folder:
    ...     path = save_record(record, folder)
    ...     load_record("mine", folder) == record
    True
    """
    path = Path(folder) / f"{record.study}.json"
    save_atomically(path, ("\n".join(_lines(record)) + "\n").encode("utf-8"))
    return path


def load_record(name: str, folder: AnyPath = RECORDS) -> Record:
    """A record by the name of its study.

    Raises ``FileNotFoundError`` with the command that makes it, and ``ValueError`` that names the file and
    what is wrong with it.

    >>> record = load_record("table")
    >>> record.study, record.settings["volumes"], record.titles["ddpm"]
    ('table', 382, '3D DDPM')
    """
    path = Path(folder) / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(f"no record {path}: write it with `python -m mpinotes study {name}`")
    try:
        record = _read(json.loads(path.read_text(encoding="utf-8")))
        if record.study != name:
            raise ValueError(f"study: got {record.study!r}, accepted is {name!r}")
    except ValueError as error:
        raise ValueError(f"record {path} is damaged ({error}): take it from the release again") from error
    return record


def _lines(record: Record) -> Iterator[str]:
    yield "{"
    for key in PLAIN:
        yield f" {_text(key)}: {_text(getattr(record, key))},"
    for key in ("titles", "settings"):
        yield f" {_text(key)}: {{"
        yield from _separated(f"  {_text(name)}: {_text(value)}" for name, value in getattr(record, key).items())
        yield " },"
    for key, kind in TABLES.items():
        columns = _columns(kind)
        yield f' {_text(key)}: {{"columns": {_text(list(columns))}, "lines": ['
        items = ([getattr(item, column) for column in columns] for item in getattr(record, key))
        yield from _separated(f"  {_text(values)}" for values in items)
        yield " ]}" if key == "trainings" else " ]},"
    yield "}"


def _separated(lines: Iterable[str]) -> Iterator[str]:
    """Lines with a comma behind all but the last."""
    listed = list(lines)
    for line in listed[:-1]:
        yield f"{line},"
    yield from listed[-1:]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _columns(kind: type) -> dict[str, Any]:
    """Fields and their types; the study stands once above all of them."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind) if field.name != "study"}


def _read(content: Any) -> Record:
    known = [*PLAIN, "titles", "settings", *TABLES]
    if not isinstance(content, dict) or set(content) != set(known):
        got = sorted(content) if isinstance(content, dict) else type(content).__name__
        raise ValueError(f"keys: got {got}, accepted are {sorted(known)}")
    plain = {key: _typed(key, content[key], kind) for key, kind in PLAIN.items()}
    titles, settings = (_typed(key, content[key], dict) for key in ("titles", "settings"))
    for name, title in titles.items():
        _typed(f"titles[{name!r}]", title, str)
    for name, value in settings.items():
        _typed(f"settings[{name!r}]", value, str | float | tuple[float, ...])
    tables: dict[str, Any] = {
        key: tuple(_read_table(key, content[key], kind, plain["study"])) for key, kind in TABLES.items()
    }
    return Record(titles=titles, settings=settings, **plain, **tables)


def _read_table(key: str, table: Any, kind: type[_T], study: str) -> Iterator[_T]:
    columns = _columns(kind)
    shared = {} if kind is TrainingLog else {"study": study}
    if not isinstance(table, dict) or table.get("columns") != list(columns) or set(table) != {"columns", "lines"}:
        raise ValueError(f"{key}: accepted are columns {list(columns)} and lines")
    for number, line in enumerate(_typed(f"{key}.lines", table["lines"], list)):
        place = f"{key}.lines[{number}]"
        if len(_typed(place, line, list)) != len(columns):
            raise ValueError(f"{place}: got {len(line)} values, accepted are {len(columns)}")
        pairs = zip(columns.items(), line, strict=True)
        values = {column: _typed(f"{place}.{column}", value, hint) for (column, hint), value in pairs}
        try:
            yield kind(**shared, **values)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from error


def _typed(place: str, value: Any, hint: Any) -> Any:
    """The value as its type wants it: numbers as float where that is the type, lists of numbers as tuple."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for option in options:
        if option is float and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if typing.get_origin(option) is tuple and isinstance(value, list):
            return tuple(_typed(f"{place}[{i}]", item, float) for i, item in enumerate(value))
        if typing.get_origin(option) is None and type(value) is option:
            return value
    raise ValueError(f"{place}: got {value!r:.40}, accepted is {' or '.join(WANTED[option] for option in options)}")
