"""What of a project's files dbt takes for configuration when it parses, and whether that may come from the clock. Pure.

It reads Jinja as text, and is meant to err on one side: what it does not understand counts as configuration, and a
mention counts as a call.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

# What is no model: its whole text may configure others.
_BLOCK = re.compile(r"\{%[-+]?\s*(macro|test|data_test|snapshot|materialization|docs)\s+(\w+)")
_END_OF_BLOCK = re.compile(r"\{%[-+]?\s*end(?:macro|test|data_test|snapshot|materialization|docs)\b")
# Of these, what a node or a macro can be configured by only where somebody mentions them.
_CALLED = ("macro", "test", "data_test", "materialization")
_CONFIG = re.compile(r"\bconfig\b")
_PLAIN_CONFIG = re.compile(r"\{\{[-+]?\s*config\s*\(([^(){}]*)\)\s*-?\}\}")
_TEXT = re.compile(r"'[^'\\]*'|\"[^\"\\]*\"")
_NAME = re.compile(r"[A-Za-z_]\w*(?!\w|\s*=[^=])")
_LITERAL = {"true", "false", "none", "True", "False", "None"}
_JINJA = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
# Of Python's modules that dbt has for Jinja, these two do not know the time.
_CLOCK = re.compile(r"\b(?:run_started_at|invocation_id|modules(?!\s*\.\s*(?:re|itertools)\b))\b")
_WORD = re.compile(r"\w+")
# dbt calls them for every node: https://docs.getdbt.com/docs/build/custom-schemas
_ALWAYS_CALLED = {"generate_schema_name", "generate_alias_name", "generate_database_name"}


def configuration_of(sql: str) -> str:
    """What of a file of SQL may say how it, or another one, is configured: of a model with a plain ``config``, that."""
    plain = [found.group() for found in _PLAIN_CONFIG.finditer(sql) if _is_literal(found.group(1))]
    is_plain_model = not _BLOCK.search(sql) and len(plain) == len(_CONFIG.findall(sql))
    return "\n".join(plain) if is_plain_model else sql


def may_come_from_the_clock(files: Iterable[tuple[str, str]]) -> bool:
    """Whether the configuration in some files, given as name and text, may be another one at another time."""
    called: list[tuple[str, str]] = []
    configured: list[str] = []
    for name, text in files:
        if name.endswith(".sql"):
            starts = list(_BLOCK.finditer(text))
            bounds = [start.start() for start in starts] + [len(text)]
            configured.append(text[: bounds[0]] if starts else configuration_of(text))
            for start, end in zip(starts, bounds[1:], strict=True):
                block, *rest = _END_OF_BLOCK.split(text[start.start() : end])
                if start.group(1) in _CALLED:
                    called.append((start.group(2), block))
                else:
                    configured.append(block)
                configured += rest
        else:
            configured.append(text)
    suspects = _that_ask_it(called)
    return not suspects.isdisjoint(_ALWAYS_CALLED) or any(
        _asks_it(text) or (suspects and not suspects.isdisjoint(_WORD.findall(text))) for text in configured
    )


def _that_ask_it(called: Sequence[tuple[str, str]]) -> set[str]:
    """The names of the macros that ask the clock, or mention one that does."""
    found: set[str] = set()
    waiting = {at for at, (_, text) in enumerate(called) if _asks_it(text)}
    if not waiting:
        return found
    words: Mapping[int, set[str]] = {at: set(_WORD.findall(text)) for at, (_, text) in enumerate(called)}
    while waiting:
        names = {called[at][0] for at in waiting}
        # `default__now` is called as `now`: https://docs.getdbt.com/reference/dbt-jinja-functions/dispatch
        found |= names | {name.partition("__")[2] for name in names if name.partition("__")[2]}
        waiting = {at for at in words if called[at][0] not in found and not words[at].isdisjoint(found)}
    return found


def _asks_it(text: str) -> bool:
    return any(map(_CLOCK.search, _JINJA.findall(text)))


def _is_literal(arguments: str) -> bool:
    """Whether the arguments of a ``config`` are texts, numbers and the like, so that nothing else decides on them."""
    return all(name in _LITERAL for name in _NAME.findall(_TEXT.sub("''", arguments)))
