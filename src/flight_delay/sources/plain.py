"""Files as they come, made plain: out of the zip, in UTF-8, and in a form that is known."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

from flight_delay.errors import SourceMissing, SourceUnreadable
from flight_delay.sources import CsvTable, Form

_BOM = b"\xef\xbb\xbf"
_BLOCK = 1 << 20


class Plain(NamedTuple):
    """A CSV file in UTF-8 whose columns are known.

    `columns` are the names of the vocabulary in the order of the file, "" for one that is not read;
    `skip` is how many lines stand before the first record.
    """

    path: Path
    columns: tuple[str, ...]
    delimiter: str
    skip: int


def plain(path: Path, table: CsvTable, scratch: Path) -> Plain:
    """Return a file of a table in plain form; what has to be written for that is written into `scratch`.

    Raises `SourceMissing` where it is not there, and `SourceUnreadable` where it is no whole zip of one
    CSV file, in none of the table's encodings, or in none of its forms.
    """
    if not path.is_file():
        raise SourceMissing("csv", path)
    unzipped = _unzip(path, scratch) if _is_zip(path) else path
    decoded = _decode(unzipped, path, table.encodings, scratch)
    with decoded.open(encoding="utf-8", errors="replace", newline="") as file:
        first, second = file.readline(), file.readline()
    preamble = bool(table.preamble) and first.lstrip('"').startswith(table.preamble)
    header = second if preamble else first
    problems = []
    for form in table.forms:
        own = [name.strip() for name in next(csv.reader(io.StringIO(header), delimiter=form.delimiter), [])]
        matched, problem = _match(own, form)
        if matched:
            return Plain(decoded, matched, form.delimiter, 1 + preamble)
        if form.headless and _is_record(own, form):
            columns = [*form.columns.values(), ""][: len(own)]
            return Plain(decoded, tuple(columns), form.delimiter, int(preamble))
        problems.append(problem)
    raise SourceUnreadable(path, min(problems, key=len))


def _match(own: list[str], form: Form) -> tuple[tuple[str, ...], str]:
    """Return the columns that a header says, or what is wrong with it."""
    # Files of the BTS end each line with a comma, and so have a column more, without a name.
    known = {name.casefold(): read for name, read in form.columns.items()} | {"": ""}
    given = [name.casefold() for name in own]
    missing = [name for name in form.columns if name.casefold() not in given and name not in form.optional]
    unknown = [name for name in own if name.casefold() not in known]
    repeated = sorted({name for name in own if name and given.count(name.casefold()) > 1})
    if missing or unknown or repeated:
        again = f", repeated: {repeated}" if repeated else ""
        return (), f"columns missing: {missing}, unknown: {unknown}{again}; known: {list(form.columns)}"
    return tuple(known[name] for name in given), ""


def _is_record(values: list[str], form: Form) -> bool:
    """Tell whether a line that is no header has the number of columns of a form, and a year where it should."""
    width = len(form.columns)
    year = list(form.columns.values()).index("year")
    right_width = len(values) == width or (len(values) == width + 1 and not values[-1])
    return right_width and values[year].isdecimal() and len(values[year]) == 4


def _is_zip(path: Path) -> bool:
    """Tell whether a file says that it is a zip: by its name, or by how it begins."""
    with path.open("rb") as file:
        return path.suffix.lower() == ".zip" or file.read(4) == b"PK\x03\x04"


def _unzip(path: Path, scratch: Path) -> Path:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if _is_table(name)]
            if len(members) != 1:
                raise SourceUnreadable(path, f"{len(members)} CSV files in it, 1 is needed")
            return Path(archive.extract(members[0], scratch))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        # RuntimeError is how an encrypted member is reported.
        raise SourceUnreadable(path, str(error)) from error


def _is_table(name: str) -> bool:
    return name.lower().endswith(".csv") and not name.startswith("__MACOSX/")


def _decode(path: Path, asked_for: Path, encodings: tuple[str, ...], scratch: Path) -> Path:
    """Return the file itself where it is plain already, and otherwise a copy in UTF-8 with plain ends of line."""
    with path.open("rb") as file:
        beginning = file.read(_BLOCK)
    marked = beginning.startswith(_BOM)
    if encodings == ("utf-8",) and not marked and b"\r" not in beginning:
        # A line of it that is not UTF-8 is one broken line; a header that is not is another file.
        _check_header_is_utf8(beginning, asked_for)
        return path
    copy = scratch / "decoded.csv"
    for encoding in ("utf-8-sig",) if marked else encodings:
        try:
            with path.open(encoding=encoding) as source, copy.open("w", encoding="utf-8", newline="\n") as target:
                shutil.copyfileobj(source, target, _BLOCK)
        except UnicodeDecodeError:
            continue
        return copy
    raise SourceUnreadable(asked_for, f"it is not {' or '.join(encodings)}")


def _check_header_is_utf8(beginning: bytes, asked_for: Path) -> None:
    try:
        beginning.partition(b"\n")[0].decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceUnreadable(asked_for, "it is not UTF-8") from error
