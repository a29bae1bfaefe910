r"""Who owns a file, by a CODEOWNERS file as GitHub reads it. Pure.

https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners

What that page leaves open is done as https://github.com/hmarr/codeowners does it: a `#` begins a comment wherever it
stands, `***` is no pattern, and `/` owns nothing. That `[` and `]` need a `\` is what GitHub's own message says.

A pattern is never made into a regular expression: no text can hang a run, and the work is at most the length of the
pattern times that of the path.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

# GitHub takes the first that is there.
CODEOWNERS_PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
# In bytes. GitHub does not load a file that is not below it.
TOO_LARGE = 3 * 1024 * 1024

_WORD = re.compile(r"(?:[^\s\\]++|\\.?)++", re.ASCII)
_PATTERN = re.compile(r"(?!!|/\Z|.*\*\*\*)(?:[^\\\[\]]++|\\.)++", re.DOTALL)
_OWNER = re.compile(r"@[\w-]+(?:/[\w-]+)?|[\w.%+-]+@[\w.-]+\.[A-Za-z]{2,}", re.ASCII)
# A letter, a wildcard, or what a backslash makes a letter.
_TOKEN = re.compile(r"\\.|.", re.DOTALL)
_ANY_TEXT = "*"
_ANY_FOLDERS = ["*", "*"]

Glob = TypeVar("Glob")


@dataclass(frozen=True)
class Rule:
    """A line of the file: whose the files are that the pattern covers. No owners means: nobody's."""

    pattern: str
    owners: tuple[str, ...]

    def covers(self, path: str) -> bool:
        """Whether the pattern covers the file; ``path`` is as in ``owners_of``."""
        return _fits(self._globs, path.split("/"), _ANY_FOLDERS, _name_fits)

    @cached_property
    def _globs(self) -> list[list[str]]:
        """The tokens of each name, from the root to the file; ``**`` stands for any number of names, or none."""
        names = self.pattern.split("/")
        if not names[0]:
            del names[0]  # `/docs`: a slash in front only anchors.
        elif not any(names[1:]):
            names.insert(0, "**")  # `docs` and `docs/`, with no slash within: wherever it is.
        if names[-1] in ("", "**"):
            names[-1:] = ["*", "**"]  # `docs/` and `docs/**`: what is in it, but no file of that name.
        elif names[-1] != "*":
            names.append("**")  # `docs`: a file, or a folder and all that is in it. `docs/*` goes no deeper.
        return [_TOKEN.findall(name) for name in names]


def parse_codeowners(text: str) -> tuple[Rule, ...]:
    """The rules of a file, in its order. As on GitHub, a line that is not valid as a whole is left out."""
    if len(text.encode("utf-8", "surrogatepass")) >= TOO_LARGE:
        return ()
    lines = (_WORD.findall(line.partition("#")[0]) for line in text.split("\n"))
    return tuple(
        Rule(words[0], tuple(words[1:]))
        for words in lines
        if words and _PATTERN.fullmatch(words[0]) and all(map(_OWNER.fullmatch, words[1:]))
    )


def owners_of(path: str, rules: Sequence[Rule]) -> tuple[str, ...]:
    """The owners of a file, as they are written: the last rule that covers it decides.

    ``path`` is relative to the root of the repository, with forward slashes.
    """
    return next((rule.owners for rule in reversed(rules) if rule.covers(path)), ())


def logins(owners: Iterable[str]) -> tuple[str, ...]:
    """The owners that an issue can be assigned to, as GitHub names them: people, not teams and not addresses."""
    return tuple(owner[1:] for owner in owners if owner.startswith("@") and "/" not in owner)


def _name_fits(tokens: Sequence[str], name: str) -> bool:
    return _fits(tokens, name, _ANY_TEXT, lambda wanted, letter: wanted == "?" or wanted[-1] == letter)


def _fits(globs: Sequence[Glob], parts: Sequence[str], many: Glob, fits_one: Callable[[Glob, str], bool]) -> bool:
    """Whether the globs, one after the other, take up all the parts: ``many`` any number, every other exactly one.

    ``many`` takes as little as it can, and one more each time that the rest does not fit. Once another ``many`` is
    reached, the former is settled: the fewer parts it took, the more are left to those after it.
    """
    glob = part = 0
    again: tuple[int, int] | None = None
    while part < len(parts):
        if glob < len(globs) and globs[glob] == many:
            glob += 1
            again = glob, part
        elif glob < len(globs) and fits_one(globs[glob], parts[part]):
            glob += 1
            part += 1
        elif again is not None:
            glob, part = again = again[0], again[1] + 1
        else:
            return False
    return all(rest == many for rest in globs[glob:])
