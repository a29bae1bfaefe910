"""Which file of the project, and which line of it, an error of dbt is about. Pure.

dbt names a file in many ways, and often not at all. A file is told here only where the project has it and nothing else
can be meant; a line only where the file holds there what the message says.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from headless_dbt.locate import Located, Place, line_of, line_of_entry, line_of_error

Files = Mapping[str, str]

_One = TypeVar("_One")

_MOST_MESSAGE = 20_000
# What lies at the top of a project; every package has some of these too.
TOP = ("dbt_project.yml", "packages.yml", "dependencies.yml", "selectors.yml", "profiles.yml")
_YAML = (".yml", ".yaml")

_FRAME = re.compile(r"^ *> (?:in|called by) macro (\w+) \((.+)\)$", re.MULTILINE)
_DEFINITION = re.compile(
    r"\{%[-+]?\s*(?:macro\s+(?P<macro>\w+)|(?:data_)?test\s+(?P<test>\w+)"
    r"|materialization\s+(?P<made>\w+)\s*,\s*(?:default|adapter\s*=\s*['\"](?P<by>\w+)['\"]))"
)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)

_NODE = re.compile(r"\bError in [a-z_]{1,30} ([^\n]{1,500}\))$", re.MULTILINE)
_DEPENDS = re.compile(r"' \((?P<file>[^\n]{1,500})\) depends on a (?P<kind>node|source) named '(?P<name>[^'\n]+)'")
_READING = re.compile(r"\bError reading (?P<project>\w+): (?P<file>[^\n]{1,500}) - Runtime Error")
_NEAR = re.compile(r"\bSyntax error near line (\d{1,9})$", re.MULTILINE)
_NUMBERED = re.compile(r"^ *(\d{1,9}) *\| (.*)$", re.MULTILINE)
_INVALID = re.compile(
    r"^ *Invalid (?P<kind>\w+) config given in (?:FilePath\(searched_path='(?P<path>[^']*)', "
    r"relative_path='(?P<inner>[^']*)', modification_time=[\d.]+, project_root='(?P<root>[^']*)'\)"
    r"|(?P<file>[^\n]{1,500}?))"
    r"(?:| @ (?P<key>\w+): \{(?:'name': '(?P<name>[^']*)')?.*|:)$",
    re.MULTILINE,
)
_SCHEMA = re.compile(
    r"The schema file at (?P<file>.+) is invalid because (?:the value of|a list element for) '(?P<key>\w+)'"
)
_CONTENTS = re.compile(r"Contents of file '(?P<file>.+)' are not valid\.")
_UNIT_TEST = re.compile(
    r"Unable to find model '[^'\n]*' for unit test "
    r"'(?P<name>[^\n]{1,300})' in (?P<file>[^'\n]{1,500})$",
    re.MULTILINE,
)
_CONTRACT = re.compile(r"Contract enforcement failed for: \((?P<file>.+)\)$", re.MULTILINE)
_TWICE = re.compile(r"\bdbt found (?:two|multiple) ")
_LISTED = re.compile(r"^ *- (?:(?P<id>\w+(?:\.[^\s()]+)+) \((?P<of>.+)\)|(?P<file>\S.*))$", re.MULTILINE)
_TWICE_NAMED = re.compile(r"resource named (\S+?)\. |multiple macros named \"(\w+)\"")
_ENCOUNTERED = re.compile(r"^Error encountered in (?P<file>.+)$", re.MULTILINE)
_AT_PATH = re.compile(r"at path \['([\w+-]+)'")
_MALFORMED = re.compile(r"The (?P<file>packages\.yml|dependencies\.yml) file in this project is malformed")
_PYTHON = re.compile(r"\((?P<file>[^()\n/]+\.py), line (?P<line>\d{1,9})\)\n *(?P<text>\S.*)$", re.MULTILINE)
_QUOTED = re.compile(r"^ *line (\d{1,9})\n *(\S.*)$", re.MULTILINE)
_UNCLOSED = re.compile(r"without finding a close tag for (\w+) \(searched from line (\d{1,9})\)")
_IN_DBT_2 = re.compile(r"^ *--> (?P<file>[^\n]{1,500}?):(?P<line>\d{1,9}):\d{1,9}$", re.MULTILINE)
_ENV_VAR = re.compile(r"Env var required but not provided: '(\w+)'")
_DOC = re.compile(r"depends on doc '(\w+)' +which was not found")


def problem_place(message: str, files: Files, root: str) -> Place | None:
    """Where in the ``files`` of the project that lies at ``root`` the error is, by what dbt says of it."""
    # dbt writes the project's own files with and without its folder; what is still absolute is of others.
    message = message[:_MOST_MESSAGE].replace(f"{root}/", "").replace(f"project_root='{root}'", "project_root=''")
    # What names its file comes first, and says all that there is to say.
    for find in (_told_by_dbt_2, _yaml_syntax, _invalid, _duplicate, _of_the_project, _python_syntax):
        found, place = find(message, files)
        if found:
            return place
    return macro_place(message, files) or _named(message, files) or _nameless(message, files)


def macro_place(message: str, files: Files) -> Place | None:
    """The innermost macro of the project in which an error of Jinja arose, if it arose in one."""
    if "Compilation Error" not in message.partition("\n")[0]:
        return None
    for name, file in _FRAME.findall(message[:_MOST_MESSAGE]):
        if file in files and (line := _only(_definitions(name, files[file]))):
            return Place(file, line)
    return None


def _definitions(name: str, source: str) -> Iterator[int]:
    text = _without_comments(source)
    for found in _DEFINITION.finditer(text):
        made = f"materialization_{found['made']}_{found['by'] or 'default'}"
        if name in (found["macro"], found["test"] and f"test_{found['test']}", made):
            yield text.count("\n", 0, found.start()) + 1


_Found = tuple[bool, Place | None]
_NOTHING: _Found = (False, None)


def _yaml_syntax(message: str, files: Files) -> _Found:
    """A file whose YAML is broken; dbt shows the lines, and names it by halves or not at all."""
    near = _NEAR.search(message)
    if near is None:
        return _NOTHING
    reading = _READING.search(message[: near.start()])
    if reading and reading["project"] != _project_name(files):
        return True, None
    shown = [(int(number), text.strip()) for number, text in _NUMBERED.findall(message[near.end() :])]
    names = [name for name in files if _is(name, reading["file"])] if reading else [n for n in TOP if n in files]
    name = _only(name for name in names if _shows(files[name].split("\n"), shown))
    if name is None:
        return True, None
    # What is missing at the end of a file is missed after its last line.
    return True, Place(name, min(int(near[1]), files[name].rstrip().count("\n") + 1))


def _told_by_dbt_2(message: str, files: Files) -> _Found:
    """The place that dbt 2 names itself, of its first error."""
    told = _IN_DBT_2.search(message)
    if told is None:
        return _NOTHING
    there = told["file"] in files and 0 < int(told["line"]) <= files[told["file"]].count("\n") + 1
    return True, Place(told["file"], int(told["line"])) if there else None


def _shows(lines: list[str], shown: list[tuple[int, str]]) -> bool:
    there = [(lines[number - 1] if 0 < number <= len(lines) else "").strip() == text for number, text in shown]
    return any(text for _, text in shown) and all(there)


def _invalid(message: str, files: Files) -> _Found:
    """An entry of a YAML file that is not what it should be."""
    found = _INVALID.search(message)
    if found is None:
        return _NOTHING
    file = found["file"] or f"{found['path']}/{found['inner']}"
    if found["root"] or file not in files:
        return True, None
    entry = line_of_entry(found["key"], found["name"], files[file]) if found["name"] else None
    return True, Place(file, entry or 0)


def _duplicate(message: str, files: Files) -> _Found:
    """What is there twice: where the first that dbt lists is."""
    if not _TWICE.search(message):
        return _NOTHING
    named = _TWICE_NAMED.search(message)
    for found in _LISTED.finditer(message):
        file = found["of"] or found["file"]
        if file in files:
            return True, Place(file, _line_of_duplicate(found["id"], named, files[file]) or 0)
    return True, None


def _line_of_duplicate(unique_id: str | None, named: re.Match[str] | None, source: str) -> int | None:
    if named and named[2]:
        return _only(_definitions(named[2], source))
    if named:
        return _only(_lines(rf"^\s*-?\s*['\"]?name['\"]?:\s*['\"]?{re.escape(named[1])}['\"]?\s*$", source))
    if unique_id and unique_id.startswith("source."):
        _, _, schema, table = f"{unique_id}...".split(".")[:4]
        return line_of(Located("source", table, "sources.yml", source_name=schema), source)
    if unique_id and unique_id.startswith("doc."):
        return _only(_lines(rf"\{{%[-+]?\s*docs\s+{re.escape(unique_id.rpartition('.')[2])}\s*[-+]?%\}}", source))
    return None


def _of_the_project(message: str, files: Files) -> _Found:
    """dbt_project.yml, and what lies beside it."""
    if (malformed := _MALFORMED.search(message)) and malformed["file"] in files:
        return True, Place(malformed["file"])
    encountered = _ENCOUNTERED.search(message)
    if encountered is None:
        return _NOTHING
    file = encountered["file"]
    if file not in TOP or file not in files:
        return True, None
    path = _AT_PATH.search(message)
    return True, Place(file, (_only(_lines(rf"^{re.escape(path[1])}\s*:", files[file])) if path else None) or 0)


def _python_syntax(message: str, files: Files) -> _Found:
    found = _PYTHON.search(message)
    if found is None:
        return _NOTHING
    line, text = int(found["line"]), found["text"].strip()
    names = (name for name in files if _is(name, found["file"]))
    name = _only(name for name in names if _shows(files[name].split("\n"), [(line, text)]))
    return True, Place(name, line) if name else None


def _named(message: str, files: Files) -> Place | None:
    """A file that dbt names as it is."""
    if (found := _DEPENDS.search(message)) and found["file"] in files:
        return Place(found["file"], _only(_asks(found["kind"], found["name"], files[found["file"]])) or 0)
    if (found := _UNIT_TEST.search(message)) and found["file"] in files:
        return Place(found["file"], line_of_entry("unit_tests", found["name"], files[found["file"]]) or 0)
    if (found := _SCHEMA.search(message)) and found["file"] in files:
        return Place(found["file"], _only(_lines(rf"^{re.escape(found['key'])}\s*:", files[found["file"]])) or 0)
    for pattern in (_CONTENTS, _CONTRACT):
        if (found := pattern.search(message)) and found["file"] in files:
            return Place(found["file"])
    if found := _NODE.search(message):
        ends = [found[1][at + 2 : -1].removeprefix("./") for at in _places(" (", found[1])]
        file = _only(end for end in ends if end in files)
        return Place(file, _quoted(message, file, files[file]) or 0) if file else None
    return None


def _quoted(message: str, file: str, source: str) -> int | None:
    """The line that dbt shows of a file which it names."""
    said = _QUOTED.search(message)
    if said is None:
        return None
    if file.endswith(_YAML):
        return _only(_holding(said[2].strip(), source))
    return line_of_error(message, "", source) or _only(_equal(said[2].strip(), source))


def _asks(kind: str, name: str, source: str) -> Iterator[int]:
    """The lines that ask for a node or a source."""
    if kind == "node":
        asks = rf"\bref\(\s*(?:['\"][^'\"]*['\"]\s*,\s*)?['\"]{re.escape(name)}['\"]"
    else:
        first, _, second = name.partition(".")
        asks = rf"\bsource\(\s*['\"]{re.escape(first)}['\"]\s*,\s*['\"]{re.escape(second)}['\"]"
    return _lines(asks, source)


def _nameless(message: str, files: Files) -> Place | None:
    """An error that names no file: where the only place is that can be meant."""
    if found := _ENV_VAR.search(message):
        needs = rf"\benv_var\(\s*['\"]{found[1]}['\"]\s*\)"
        return _only_place(files, lambda _, text: _lines(needs, text))
    if found := _DOC.search(message):
        asks = rf"\bdoc\(\s*['\"]{found[1]}['\"]\s*\)"
        return _only_place(files, lambda _, text: _lines(asks, text))
    if found := _UNCLOSED.search(message):
        tag, number = found[1], int(found[2])
        return _only_place(files, lambda _, text: _unclosed(tag, number, text))
    if "codec can't decode byte" in message:
        return _only_place(files, lambda file, text: () if file.endswith(".csv") else _lines("[\udc80-\udcff]", text))
    if "Compilation Error" in message and "Error in " not in message and (found := _QUOTED.search(message)):
        number, text = int(found[1]), found[2].strip()
        return _only_place(files, lambda file, source: _rendered(file, number, text, source))
    return None


def _rendered(file: str, number: int, text: str, source: str) -> Iterator[int]:
    """Lines that can be the one which Jinja shows: it counts from the value in YAML, and in SQL from the block."""
    lines = source.split("\n")
    if file.endswith(_YAML) and number == 1:
        yield from _holding(text, source)
    elif file.endswith(".sql"):
        for line in _equal(text, source):
            begins = lines[line - number] if line >= number else ""
            if re.search(r"\{%[-+]?\s*(?:macro|test|data_test|materialization|snapshot)\b", begins):
                yield line


def _unclosed(tag: str, number: int, source: str) -> Iterator[int]:
    text = _without_comments(source)
    opened = list(_lines(rf"\{{%[-+]?\s*{tag}\b", text))
    above = text[: len(text) - len(text.lstrip())].count("\n")
    if len(opened) > len(list(_lines(rf"\{{%[-+]?\s*end{tag}\b", text))):
        yield from (line for line in opened if line in (number, number + above))


def _only_place(files: Files, lines: Callable[[str, str], Iterator[int] | tuple[int, ...]]) -> Place | None:
    """The only line of all files; of dbt_packages and the like there is none among them."""
    return _only(Place(name, line) for name in files if files[name] for line in dict.fromkeys(lines(name, files[name])))


def _lines(pattern: str, source: str) -> Iterator[int]:
    """The lines on which a pattern begins, comments left out."""
    for number, line in enumerate(_without_comments(source).split("\n"), 1):
        if not line.lstrip().startswith("#") and re.search(pattern, line):
            yield number


def _equal(text: str, source: str) -> Iterator[int]:
    return (number for number, line in enumerate(source.split("\n"), 1) if line.strip() == text)


def _holding(text: str, source: str) -> Iterator[int]:
    return (number for number, line in enumerate(source.split("\n"), 1) if text in line)


def _without_comments(source: str) -> str:
    return _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)


def _project_name(files: Files) -> str:
    found = re.search(r"^name\s*:\s*['\"]?(\w+)", files.get("dbt_project.yml", ""), re.MULTILINE)
    return found[1] if found else ""


def _is(name: str, end: str) -> bool:
    return name == end or name.endswith(f"/{end}")


def _places(part: str, text: str) -> Iterator[int]:
    return (found.start() for found in re.finditer(re.escape(part), text))


def _only(found: Iterator[_One]) -> _One | None:
    """What there is once."""
    first, second = next(found, None), next(found, None)
    return first if second is None else None
