"""Where in a file of the user's repository a node stands, and where its error is. Pure.

Both are for annotations, where a wrong line is worse than none: what is not certain is None.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

# Far more than dbt's YAML files have, and read in seconds.
_MOST_YAML = 500_000
# What a YAML file that is not what it should be makes PyYAML raise.
_BROKEN = (yaml.YAMLError, RecursionError, ValueError, OverflowError)
_LISTS = {"exposure": "exposures", "saved_query": "saved_queries", "snapshot": "snapshots", "unit_test": "unit_tests"}
# What dbt gives a generic test as its "model": ref('a'), ref('a', version='2') or source('a', 'b').
_TESTED = re.compile(r"(?P<kind>ref|source)\('(?P<name>[^']*)'(?:, (?:version=)?'(?P<more>[^']*)')?\)")

# dbt's own error in a file, which it reads without the empty lines above.
_JINJA = re.compile(r"^ *line (\d{1,9})\n *(\S.*)$", re.MULTILINE)
# Python's: what a model calls is in other files.
_TRACED = re.compile(r"^ *File \"[^\"\n]*\", line ([1-9]\d{0,8}), in \w+\n *(\S.*)$", re.MULTILINE)
_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_SET = re.compile(r"\{%\s*set\s+\w+\s*=")
# A database's error: DuckDB and Postgres quote the line, "..." where they cut it; Databricks marks it.
_QUOTED = re.compile(r"^\s*LINE \d+: (.*)$", re.MULTILINE)
_MARKED = re.compile(r"^(.*)\n *-*\^\^\^ *$", re.MULTILINE)
# The others name line and column: BigQuery and Trino from 1, Snowflake and Databricks from 0.
_FROM_1 = re.compile(r"\bat \[(\d{1,9}):(\d{1,9})\]|\bline (\d{1,9}):(\d{1,9})")
_FROM_0 = re.compile(r"\bline (\d{1,9})(?: at position|,? pos) (\d{1,9})")
_CULPRIT = re.compile(
    r"""["'`](\w[^"'`\n]*)["'`]|\b(?:name|keyword|identifier|function|found):? (\w[\w.]*)""", re.IGNORECASE
)


@dataclass(frozen=True)
class Place:
    """A file, and a line of it from 1; 0 is unknown."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Located:
    """What the manifest has of a node that says where it stands.

    ``file`` is its original_file_path; ``source_name`` belongs to a source table, ``model`` to a unit test;
    ``column_name``, ``test`` ("unique", "dbt_utils.expression_is_true") and ``kwargs`` to a generic test.
    """

    resource_type: str
    name: str
    file: str
    source_name: str = ""
    model: str = ""
    column_name: str = ""
    test: str = ""
    kwargs: Mapping[str, Any] = field(default_factory=dict)


def line_of(node: Located, source: str) -> int | None:
    """The line, from 1, on which a node begins in its file, whose text is ``source``."""
    if node.file.endswith((".yml", ".yaml")):
        try:
            places = [found.at for found in _in_yaml(node, source)]
        except _BROKEN:
            return None
    elif node.resource_type == "snapshot":
        block = rf"\{{%[-+]?\s*snapshot\s+{re.escape(node.name)}\s*[-+]?%\}}"
        places = [found.start() for found in re.finditer(block, source)]
    else:
        places = [0] if node.file.endswith((".csv", ".py", ".sql")) else []
    return source.count("\n", 0, places[0]) + 1 if len(places) == 1 else None


def line_of_entry(key: str, name: str, source: str) -> int | None:
    """The line, from 1, of what is listed under ``key`` by its ``name`` in a YAML file whose text is ``source``."""
    try:
        places = [found.at for found in _named(_root(source), key, name)]
    except _BROKEN:
        return None
    return source.count("\n", 0, places[0]) + 1 if len(places) == 1 else None


def line_of_error(message: str, compiled: str, raw: str) -> int | None:
    """The line, from 1, that an error is about in the file whose text is ``raw``; ``compiled`` is what dbt made of it.

    The line numbers of a database are of no use: they count what dbt sent, with its comment and ``create`` above.
    """
    lines, code = [line.strip() for line in raw.split("\n")], compiled.split("\n")
    above = raw[: len(raw) - len(raw.lstrip())].count("\n")
    if "Compilation Error" in message and (said := _JINJA.search(message)):
        number = int(said[1]) + above
        return number if lines[number - 1 : number] == [said[2].strip()] else None
    culprits = [at for at in _culprits(message, code) if re.search(r"\w", code[at])]
    if len(culprits) != 1:
        return None
    if aligned := _aligned(raw.strip(), code, culprits[0]):
        return above + aligned
    stripped = [line.strip() for line in code[: culprits[0] + 1]]
    if stripped == lines[above : above + len(stripped)]:
        return above + len(stripped)
    return lines.index(stripped[-1]) + 1 if lines.count(stripped[-1]) == 1 else None


def _aligned(raw: str, code: list[str], at: int) -> int | None:
    """The line of ``raw`` that became line ``at`` of the code, where every line became one line.

    Without blocks and without `-`, Jinja never takes a line break away that stands outside of its expressions; so when
    there are as many after as before, none was added either.
    """
    tags = _TAG.findall(raw)
    if any(tag[2] == "-" or tag[-3] == "-" or (tag[1] == "%" and not _SET.match(tag)) for tag in tags):
        return None
    lines = _TAG.sub(lambda tag: tag[0].replace("\n", "\0"), raw).split("\n")
    if len(lines) != len(code) or "\0" in lines[at]:
        return None
    return at + 1 + sum(line.count("\0") for line in lines[:at])


def line_of_traceback(message: str, raw: str) -> int | None:
    """The line, from 1, of a Python model whose text is ``raw`` in which an exception arose."""
    lines = raw.split("\n")
    found = ((int(number), text.strip()) for number, text in _TRACED.findall(message))
    return next(
        (at for at, text in reversed([*found]) if [line.strip() for line in lines[at - 1 : at]] == [text]), None
    )


def _culprits(message: str, code: list[str]) -> list[int]:
    """The lines of the compiled code that can be the one which a database complains of."""
    if found := _QUOTED.search(message):
        said = found[1].strip()
        return [
            at for at, line in enumerate(code) if line.strip() == said or ("..." in said and said.strip(". ") in line)
        ]
    if "== SQL ==" in message and (found := _MARKED.search(message)):
        return [at for at, line in enumerate(code) if line.strip() == found[1].strip()]
    found, first = (_FROM_1.search(message), 1) if _FROM_1.search(message) else (_FROM_0.search(message), 0)
    if found is None:
        return []
    number, column = (int(group) for group in found.groups() if group)
    names = [(quoted or bare).lower() for quoted, bare in _CULPRIT.findall(message.partition("Did you mean")[0])]
    there = [re.match(r"[\"`\[]?([\w.]+)", line[max(0, column - first) :]) for line in code[:number]]
    return [at for at, word in enumerate(there) if word and word[1].lower() in names]


class _Text(str):
    """A text of a YAML file; ``at`` is the character it begins at."""

    __slots__ = ("at",)
    at: int


class _Entry(dict[Any, Any]):
    """A mapping of a YAML file; ``at`` is the character it begins at."""

    __slots__ = ("at",)
    at: int


class _Loader(yaml.SafeLoader):
    """Values that know where they begin. Merge keys stay keys: merged, a few lines of them add up without end."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        pass

    def text(self, node: yaml.ScalarNode) -> _Text:
        text = _Text(self.construct_scalar(node))
        text.at = node.start_mark.index
        return text

    def number(self, node: yaml.ScalarNode) -> int | str:
        # 1:1:1:... is a number to the base of 60, and would take minutes where it is long.
        return self.construct_yaml_int(node) if len(node.value) < 100 else str(node.value)

    def entry(self, node: yaml.MappingNode) -> _Entry:
        entry = _Entry(self.construct_mapping(node, deep=True))
        entry.at = node.start_mark.index
        return entry


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.number)
_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.entry)
_Loader.add_constructor("tag:yaml.org,2002:str", _Loader.text)
_Loader.add_constructor("tag:yaml.org,2002:merge", _Loader.text)


def _root(source: str) -> Any:
    return yaml.load(source, Loader=_Loader) if len(source) <= _MOST_YAML else None  # noqa: S506 (it is a SafeLoader)


def _in_yaml(node: Located, source: str) -> Sequence[_Entry | _Text]:
    root = _root(source)
    if node.test:
        return next((found for place in _tested(node, root) if (found := _tests(node, place))), [])
    if node.resource_type == "source":
        return _tables(root, node.source_name, node.name)
    named = _named(root, _LISTS.get(node.resource_type, ""), node.name)
    return [entry for entry in named if entry.get("model") == node.model] or named


def _tested(node: Located, root: Any) -> list[_Entry]:
    """Where the test of a node can stand; what is said of a version goes before what is said of its model."""
    tested = _TESTED.search(str(node.kwargs.get("model")))
    if tested is None:
        return []
    name, more = tested["name"], tested["more"]
    if tested["kind"] == "source":
        return _tables(root, name, more)
    found = [entry for key in ("models", "seeds", "snapshots") for entry in _named(root, key, name)]
    return [*_named(found[0], "versions", more, by="v"), *found] if len(found) == 1 else []


def _tests(node: Located, place: _Entry) -> Sequence[_Entry | _Text]:
    """The entries of a place that can be the test: by their own name, else by macro and arguments, else by macro."""
    owners, wanted = [place], {key: value for key, value in node.kwargs.items() if key != "model"}
    if column := node.column_name:
        owners = _named(place, "columns", column) or _named(place, "columns", column[1:-1])
        wanted.pop("column_name", None)
    every = [entry for owner in owners for key in ("data_tests", "tests") for entry in _items(owner, key)]
    read = [(entry, said) for entry in every for test, said in [_read(entry)] if test == node.test]
    named = [entry for entry, said in read if said.get("name") == node.name]
    unnamed = [(entry, said) for entry, said in read if "name" not in said]
    same = [entry for entry, said in unnamed if wanted.items() <= _arguments(said).items()]
    return named or same or [entry for entry, _ in unnamed]


def _read(entry: Any) -> tuple[Any, dict[Any, Any]]:
    """The macro of a test and what is said to it: ``- unique``, ``- unique: {...}`` or ``- test_name: unique``."""
    if not isinstance(entry, dict):
        return entry, {}
    test, said = (entry["test_name"], entry) if "test_name" in entry else next(iter(entry.items()), ("", {}))
    return test, said if isinstance(said, dict) else {}


def _arguments(said: dict[Any, Any]) -> dict[Any, Any]:
    nested = said.get("arguments")
    return {**said, **nested} if isinstance(nested, dict) else said


def _tables(root: Any, source: str, table: str) -> list[_Entry]:
    return [found for entry in _named(root, "sources", source) for found in _named(entry, "tables", table)]


def _named(parent: Any, key: str, name: str, by: str = "name") -> list[_Entry]:
    entries = [item for item in _items(parent, key) if isinstance(item, _Entry)]
    return [entry for entry in entries if isinstance(said := entry.get(by), str | int | float) and str(said) == name]


def _items(parent: Any, key: str) -> list[Any]:
    items = parent.get(key) if isinstance(parent, dict) else None
    return items if isinstance(items, list) else []
