"""Where rows come from: tables in CSV or JSON files (training data, batch transform), or captured traffic."""

from __future__ import annotations

import csv
import json
from typing import Any, Iterable, Iterator, Mapping, Tuple

import exchanges
import intake
from exchanges import Row
from intake import Account, Rejected
from settings import Settings, UserError
from tables import Table

Found = Tuple[Row, str]
"""A row and where it stands."""


def table(settings: Settings, account: Account) -> Table:
    """Take in all rows as columns. Raises UserError when data and settings do not fit each other."""
    features = (settings.constraints or {}).get("features", [])
    domains = {each["name"]: (each.get("string_constraints") or {}).get("domains") for each in features}
    names = [each["name"] for each in features]
    named = header(settings) if settings.form == "csv" else None
    # without a header columns are the baseline's by position, as those of captured traffic are
    found = Table(named or names, {name: domain for name, domain in domains.items() if domain is not None})
    if settings.captured:
        _take_captured(settings, found, names, account)
    else:
        for row, where in rows(settings, account):
            _add(found, [row], where, account)
    found.flush()
    if account.mismatch:
        raise UserError(account.mismatch)
    return found


def rows(settings: Settings, account: Account) -> Iterator[Found]:
    """Read the rows of CSV or JSON files."""
    return _csv(settings, account) if settings.form == "csv" else _json(settings, account)


def _take_captured(settings: Settings, found: Table, names: list[str], account: Account) -> None:
    indices = settings.options.get("captureIndexNames", [exchanges.INPUT, exchanges.OUTPUT])
    script = exchanges.load_preprocessor(settings.preprocessor) if settings.preprocessor else None
    known = set(names)
    for record, where in intake.events(settings.source, settings.window, account):
        try:
            if script is None:
                made: Iterable[Row] = exchanges.together(record, indices)
            else:
                made = [_by_position(row, known) for row in exchanges.preprocessed(script, record)]
        except Rejected as rejected:
            account.reject(rejected, where)
            continue
        _add(found, made, where, account)


def _add(found: Table, made: Iterable[Row], where: str, account: Account) -> None:
    try:
        for row in made:
            found.add(row)
    except Rejected as rejected:
        account.reject(rejected, where)


def _by_position(row: Row, known: set[str]) -> Row:
    """Return a script's row as a list when its keys, such as ``00000000000000000003``, stand for positions."""
    if not isinstance(row, dict) or not known.isdisjoint(row):
        return row
    return [row[key] for key in sorted(row)]


def header(settings: Settings) -> list[str] | None:
    """Return the header that all CSV files of a table have in common."""
    if not settings.options.get("header"):
        return None
    common: list[str] | None = None
    for path in intake.files(settings.source):
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as lines:
            first = next((row for row in csv.reader(lines) if row), None)
        if first is None:
            continue
        if common is not None and first != common:
            raise UserError(f"{path.name} has another header than the files before it")
        common = first
    if common and len(set(common)) < len(common):
        raise UserError("the header names a column twice")
    return common


def _csv(settings: Settings, account: Account) -> Iterator[Found]:
    skip = bool(settings.options.get("header"))
    for path in intake.files(settings.source):
        account.files += 1
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as lines:
            reader = csv.reader(lines, strict=True)
            header = skip
            while True:
                try:
                    row = next(reader, None)
                except csv.Error as error:
                    account.lines += 1
                    account.reject(Rejected("not_csv", str(error)), f"{path.name}, line {reader.line_num}")
                    continue
                if row is None:
                    break
                if header and row:
                    header = False
                    continue
                account.lines += 1
                if row:
                    yield row, f"{path.name}, line {reader.line_num}"
                else:
                    account.blank += 1


def _json(settings: Settings, account: Account) -> Iterator[Found]:
    by_line = bool(settings.options.get("lines", settings.options.get("line", True)))
    found = intake.documents(settings.source, account) if by_line else _whole(settings, account)
    for document, where in found:
        try:
            made = [exchanges.flat(one) for one in (document if isinstance(document, list) else [document])]
        except Rejected as rejected:
            account.reject(rejected, where)
            continue
        for row in made:
            yield row, where


def _whole(settings: Settings, account: Account) -> Iterator[tuple[Any, str]]:
    """Read files that are one JSON document each; a document counts as a line."""
    for path in intake.files(settings.source):
        account.files += 1
        account.lines += 1
        try:
            document: Mapping[str, Any] = json.loads(path.read_bytes().decode("utf-8"))
        except ValueError as error:
            account.reject(Rejected("not_json", f"no JSON: {error}"), path.name)
            continue
        yield document, path.name
