"""What a text of SQL is, as far as a double that runs none must know."""

import re
from dataclasses import dataclass
from typing import Final

_COMMENT: Final = re.compile(r"/\*.*?\*/|(?:--|#)[^\n]*", re.DOTALL)
_STRING: Final = re.compile(r'"""(?:\\.|.)*?"""|\'(?:\\.|[^\'\\])*\'|"(?:\\.|[^"\\])*"', re.DOTALL)
_NAME: Final = re.compile(r"`([^`.]+)`?\.`?([^`.]+)`?\.`?([^`.\s(]+)`?")
_SCHEMA: Final = re.compile(r"create schema (?:if not exists )?`([^`.]+)`?\.`?([^`.\s]+)`", re.IGNORECASE)
_AS_SELECT: Final = re.compile(r"\bas\s*\(?\s*(?:select|with)\b", re.IGNORECASE)
# The first words, and the type: the first that fits.
_TYPES: Final = tuple(
    (re.compile(words, re.IGNORECASE), kind)
    for words, kind in (
        (r"create( or replace)?( temp(orary)?)? table\b", "CREATE_TABLE"),
        (r"create( or replace)? materialized view\b", "CREATE_MATERIALIZED_VIEW"),
        (r"create( or replace)? view\b", "CREATE_VIEW"),
        (r"create snapshot table\b", "CREATE_SNAPSHOT_TABLE"),
        (r"create schema\b", "CREATE_SCHEMA"),
        (r"create( or replace)?( temp(orary)?)?( aggregate)? function\b", "CREATE_FUNCTION"),
        (r"(drop|alter|truncate) (materialized view|table|view|schema)\b", ""),
        (r"(merge|insert|update|delete)\b", ""),
        (r"(declare|begin|set|call|execute|if|assert)\b", "SCRIPT"),
        (r"(grant|revoke)\b", ""),
        (r"(select|with)\b|\(", "SELECT"),
    )
)


@dataclass(frozen=True)
class Name:
    """A table by its full name."""

    project: str
    dataset: str
    table: str


@dataclass(frozen=True)
class Statement:
    """One query's text."""

    sql: str

    @property
    def type(self) -> str | None:
        """BigQuery's statement type, or None where the text begins like no statement."""
        parts = [part for part in self._bare.split(";") if part.strip()]
        if len(parts) > 1:
            return "SCRIPT"
        text = " ".join(self._bare.split())
        for beginning, kind in _TYPES:
            found = beginning.match(text)
            if found:
                kind = kind or found[0].upper().replace(" ", "_")  # noqa: PLW2901
                as_select = kind == "CREATE_TABLE" and _AS_SELECT.search(text)
                return "CREATE_TABLE_AS_SELECT" if as_select else kind
        return None

    @property
    def first_word(self) -> str:
        """The word that the text begins with."""
        return (self._bare.split() or [""])[0]

    @property
    def names(self) -> list[Name]:
        """The tables it names in full, each in its backticks."""
        return [Name(*found.groups()) for found in _NAME.finditer(self._bare)]

    @property
    def made_dataset(self) -> str | None:
        """The dataset that `create schema` makes."""
        found = _SCHEMA.search(self._bare)
        return found[2] if found else None

    @property
    def is_data_test(self) -> bool:
        """Whether dbt asks for the failures of a test."""
        return bool(re.search(r"\bas should_error\b", self._bare))

    @property
    def is_freshness(self) -> bool:
        """Whether dbt asks how old a source is."""
        return bool(re.search(r"\bas max_loaded_at\b", self._bare))

    @property
    def _bare(self) -> str:
        return _STRING.sub("''", _COMMENT.sub(" ", self.sql)).strip()
