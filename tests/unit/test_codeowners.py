"""A CODEOWNERS file is read as GitHub reads it."""

import re
import time
from fnmatch import fnmatchcase

import pytest
from headless_dbt.codeowners import CODEOWNERS_PLACES, TOO_LARGE, Rule, logins, owners_of, parse_codeowners
from hypothesis import example, given, settings
from hypothesis import strategies as st

# The rules of the example on GitHub's page, one after the other.
EXAMPLE = """\
# A comment.
*       @global-owner1 @global-owner2

*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/*  docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
"""


def owners(text: str, path: str) -> tuple[str, ...]:
    return owners_of(path, parse_codeowners(text))


def covers(pattern: str, path: str) -> bool:
    return owners(f"{pattern} @x", path) == ("@x",)


def test_the_file_is_looked_for_where_github_looks() -> None:
    assert CODEOWNERS_PLACES == (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("README.md", ("@global-owner1", "@global-owner2")),
        ("models/marts/orders.sql", ("@global-owner1", "@global-owner2")),
        ("deep/down/main.js", ("@js-owner",)),
        ("main.go", ("docs@example.com",)),
        ("notes.txt", ("@octo-org/octocats",)),
        ("build/logs/today.txt", ("@octocat",)),
        ("build/logs/2026/today.txt", ("@octocat",)),
        ("other/apps/main.js", ("@octocat",)),
        ("docs/getting-started.md", ("@doctocat",)),
        ("docs/build-app/troubleshooting.md", ("@doctocat",)),
        ("inner/docs/main.go", ("docs@example.com",)),
        ("scripts/run.sh", ("@doctocat", "@octocat")),
        ("scripts/logs/run.txt", ("@octocat",)),
        ("deeply/nested/logs/a/b", ("@octocat",)),
        ("apps/main.js", ("@octocat",)),
        ("apps/github", ()),
        ("apps/github/main.js", ()),
        ("apps/github.md", ("@octocat",)),
    ],
)
def test_the_example_of_github_has_the_owners_that_its_comments_say(path: str, expected: tuple[str, ...]) -> None:
    assert owners(EXAMPLE, path) == expected


def test_the_last_rule_that_covers_the_file_decides_alone() -> None:
    assert owners("/apps/ @octocat\n/apps/github @doctocat", "apps/github/a.sql") == ("@doctocat",)
    assert owners("/apps/github @doctocat\n/apps/ @octocat", "apps/github/a.sql") == ("@octocat",)
    assert owners("apps/ @octocat\napps/ @doctocat", "apps/a.sql") == ("@doctocat",)


def test_a_file_that_no_rule_covers_has_no_owners() -> None:
    assert owners("/docs/ @a", "models/a.sql") == ()
    assert owners("", "models/a.sql") == ()


# Pattern, what it covers, what it does not.
COVERED: list[tuple[str, list[str], list[str]]] = [
    ("*", ["a", "a/b", "a/b/c.sql", ".github/CODEOWNERS"], []),
    ("**", ["a", "a/b", "a/b/c.sql"], []),
    ("/**", ["a", "a/b/c.sql"], []),
    ("/*", ["a", "b.sql"], ["a/b", "a/b/c"]),
    ("*/", ["a/b", "a/b/c"], ["a"]),
    ("*.sql", ["a.sql", "models/a.sql", "models/b/.sql", "a.sql/b"], ["a.SQL", "a.sqlx", "asql"]),
    ("/*.sql", ["a.sql"], ["models/a.sql"]),
    ("/docs/", ["docs/a", "docs/a/b"], ["docs", "a/docs/b", "Docs/a", "docsx/a"]),
    ("docs/", ["docs/a", "docs/a/b", "a/docs/b", "a/b/docs/c/d"], ["docs", "a/docs", "mydocs/a"]),
    ("docs", ["docs", "docs/a", "a/docs", "a/docs/b/c"], ["docs.md", "mydocs"]),
    ("/docs", ["docs", "docs/a/b"], ["a/docs", "docs.md"]),
    ("docs/*", ["docs/a.md"], ["docs", "docs/a/b.md", "a/docs/b.md"]),
    ("/docs/*", ["docs/a.md"], ["docs/a/b.md"]),
    ("docs/*.md", ["docs/a.md"], ["docs/a/b.md", "a/docs/b.md"]),
    ("docs/**", ["docs/a", "docs/a/b"], ["docs", "a/docs/b"]),
    ("docs/**/", ["docs/a", "docs/a/b"], ["docs", "a/docs/b"]),
    ("docs/**/*", ["docs/a", "docs/a/b"], ["docs"]),
    ("**/logs", ["logs", "logs/a", "build/logs", "a/b/logs/c/d"], ["mylogs", "logs.txt"]),
    ("/**/logs", ["logs/a", "a/b/logs/c"], ["mylogs/a"]),
    ("**/logs/*", ["logs/a", "b/logs/a"], ["logs", "logs/a/b"]),
    ("/scripts/**", ["scripts/a", "scripts/a/b"], ["scripts", "a/scripts/b"]),
    ("models/marts", ["models/marts", "models/marts/a"], ["models/martsx", "a/models/marts"]),
    ("models/**/orders.sql", ["models/orders.sql", "models/a/b/orders.sql"], ["orders.sql", "models/my_orders.sql"]),
    ("/a/**/b/**/c", ["a/b/c", "a/x/b/y/z/c", "a/b/b/c/d"], ["a/c/b", "a/b", "b/c"]),
    ("**/a/b/**/b/c", ["a/b/b/c", "x/a/a/b/c/b/b/c"], ["a/b/c", "a/x/b/b/c"]),
    ("a/*/c", ["a/b/c", "a/b/c/d"], ["a/c", "a/b/b/c"]),
    ("a/*/", ["a/b/c", "a/b/c/d"], ["a/b"]),
    ("stg_*", ["stg_a.sql", "m/stg_", "stg_a/b/c"], ["my_stg_a", "stg"]),
    ("*a*b*c", ["abc", "xaxbxc", "a/abcbc"], ["acb", "abcd", "a/b/c"]),
    ("a**b", ["ab", "axxb", "m/ab"], ["a/b", "ax/xb"]),
    ("**/a*b/c", ["ax/ab/c", "ab/c"], ["ax/b/c"]),
    ("f?o", ["foo", "a/f.o"], ["fo", "fooo", "f/o"]),
    (r"f\?o", ["f?o"], ["foo"]),
    (r"f\*o", ["f*o"], ["foo", "fo"]),
    (r"\*", ["*"], ["a"]),
    (r"a\*b*", ["a*b", "a*bc"], ["axb"]),
    (r"\\*", ["\\", "\\a"], ["a", "*"]),
    (r"my\ models/", ["my models/a"], ["my", "models/a", "my\\ models/a"]),
    (r"/pages/\[id\].js", ["pages/[id].js"], ["pages/i.js", "pages/id.js"]),
    (r"\!a", ["!a"], ["a"]),
    ("a!", ["a!"], ["a"]),
    ("a.b+(c)|^$", ["a.b+(c)|^$"], ["axb+(c)|^$", "a.bb(c)"]),
    ("{a,b}", ["{a,b}"], ["a", "b"]),
    ("@a", ["@a"], ["a"]),
    ("schön/🦆*", ["schön/🦆.sql"], ["schon/🦆.sql", "schön/a"]),
    ("a//b", [], ["a/b", "a/x/b"]),
    ("//a", [], ["a", "x/a"]),
]


@pytest.mark.parametrize(("pattern", "path"), [(pattern, path) for pattern, paths, _ in COVERED for path in paths])
def test_a_pattern_covers(pattern: str, path: str) -> None:
    assert covers(pattern, path)


@pytest.mark.parametrize(("pattern", "path"), [(pattern, path) for pattern, _, paths in COVERED for path in paths])
def test_a_pattern_does_not_cover(pattern: str, path: str) -> None:
    assert not covers(pattern, path)


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        ("* @a", (Rule("*", ("@a",)),)),
        (
            " \t*.sql\t @a \t @org/the-team  a.b+c@mail.example.com ",
            (Rule("*.sql", ("@a", "@org/the-team", "a.b+c@mail.example.com")),),
        ),
        ("* @a\r", (Rule("*", ("@a",)),)),
        ("* @a # and @b", (Rule("*", ("@a",)),)),
        ("* @a#and @b", (Rule("*", ("@a",)),)),
        ("docs/", (Rule("docs/", ()),)),
        ("docs/ # nobody's", (Rule("docs/", ()),)),
        ("docs/#nobody's", (Rule("docs/", ()),)),
        (r"my\ models/ @a", (Rule(r"my\ models/", ("@a",)),)),
        (r"my\ ", (Rule(r"my\ ", ()),)),
        ("* @short_code @a-b", (Rule("*", ("@short_code", "@a-b")),)),
    ],
)
def test_a_line_is_a_pattern_and_its_owners(line: str, rules: tuple[Rule, ...]) -> None:
    assert parse_codeowners(line) == rules


@pytest.mark.parametrize(
    "line",
    [
        "",
        " \t\r",
        "# a comment @a",
        "   # a comment @a",
        "#*.sql @a",
        "!models/ @a",
        "! models/ @a",
        "[a-z].sql @a",
        "pages/[id].js @a",
        "a]b @a",
        "a[b @a",
        r"a\\[b] @a",
        "/ @a",
        "a/*** @a",
        r"\#models @a",
        r"a\#b @a",
        "models\\",
        # One owner that is none, and the whole line is left out.
        "* nobody @a",
        "* @a, @b",
        "* @",
        "* @a/",
        "* @a/b/c",
        "* @a@b",
        "* @a.example.com",
        "* a@example",
        "* a@example.com,",
        "* a@example.com'",
        "* @sch\u00f6n",
        "* @a\u00a0@b",
        "* @a @b[bot]",
    ],
)
def test_a_line_that_is_not_valid_is_left_out_and_those_around_it_stay(line: str) -> None:
    assert parse_codeowners(f"* @before\n{line}\n*.sql @after") == (
        Rule("*", ("@before",)),
        Rule("*.sql", ("@after",)),
    )


def test_only_a_line_feed_ends_a_line() -> None:
    """No other character that Python takes for the end of a line hides a rule in a comment."""
    assert parse_codeowners("# see\u2028* @a\x0b* @b\x1c* @c\r* @d") == ()


@pytest.mark.parametrize(("size", "rules"), [(TOO_LARGE - 1, 1), (TOO_LARGE, 0), (TOO_LARGE + 1, 0)])
def test_a_file_that_github_does_not_load_has_no_rules(size: int, rules: int) -> None:
    assert len(parse_codeowners("* @a #" + "x" * (size - 6))) == rules


def test_the_size_is_counted_in_bytes() -> None:
    assert parse_codeowners("* @a #" + "🦆" * (TOO_LARGE // 4)) == ()


@pytest.mark.parametrize(
    ("given_owners", "expected"),
    [
        ((), ()),
        (("@octocat",), ("octocat",)),
        (("@octo-org/octocats", "docs@example.com"), ()),
        (("@b", "@org/team", "@a", "c@example.com"), ("b", "a")),
    ],
)
def test_only_people_can_be_assigned(given_owners: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert logins(given_owners) == expected


ANY_TEXT = st.text(st.characters(exclude_categories=()))


@example("\ud800 @a", "\ud800")  # Half of a character, as a file name that is no UTF-8 has.
@given(ANY_TEXT | st.text(" \t\n\r#@!*?/\\[]ab.-_"), ANY_TEXT | st.text("/ab*\\"))
def test_no_text_and_no_path_raises(text: str, path: str) -> None:
    rules = parse_codeowners(text)

    assert owners_of(path, rules) in {(), *(rule.owners for rule in rules)}


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/#\n"), min_size=1), st.booleans())
def test_a_name_can_always_be_written_out(name: str, another: bool) -> None:
    pattern = "/models/" + re.sub(r"([^\w])", r"\\\1", name)

    assert covers(pattern, f"models/{name}") is True
    assert covers(pattern, f"models/{name}{another:d}") is False


def _plainly(globs: list[str], names: list[str]) -> bool:
    """What a pattern means, said in the plainest way, which no pattern of many wildcards lives to see the end of."""
    if not globs or not names:
        return globs == names
    if globs[0] == "**":
        return any(_plainly(globs[1:], names[taken:]) for taken in range(len(names)))
    return fnmatchcase(names[0], globs[0]) and _plainly(globs[1:], names[1:])


@settings(max_examples=500)
@given(
    st.lists(st.sampled_from(["a", "b", "ab", "*", "**", "a*", "*b", "?", "*a*b", "a**b*"]), max_size=5),
    st.lists(st.text("ab", min_size=1, max_size=5), max_size=6),
)
def test_the_quick_way_to_match_is_the_same_as_the_plain_one(globs: list[str], names: list[str]) -> None:
    pattern, path = [*globs, "end"], [*names, "end"]

    assert covers("/" + "/".join(pattern), "/".join(path)) == _plainly(pattern, path)


LONG = "a" * 250
DEEP = "/".join("a" * 500)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("*a*a*a*a*a*a*b", LONG),
        ("*a" * 1000 + "b", LONG),
        ("*" + "a" * 200 + "b", LONG),
        ("?*" * 1000 + "b", LONG),
        ("*?" * 100 + "b", "/".join([LONG] * 5)),
        ("**/" * 5000, DEEP),
        ("**/" * 5000 + "b", DEEP),
        ("**/a/" * 400 + "b", DEEP),
        ("**/" + "a/" * 200 + "b", DEEP),
        ("**/*a*a*b/" * 400, "/".join(["a" * 20] * 100)),
        ("\\a" * 100_000, LONG),
        ("\\" * 100_001, LONG),
        ("a" * 1_000_000 + "[", LONG),
        ("/" * 100_000, DEEP),
        ("* " + "a@" + "a." * 100_000 + "!", LONG),
        ("* " + "@a" * 100_000 + "!", LONG),
        ("\n".join(f"*{number}*a*?b*/c/ @a" for number in range(10_000)), "models/staging/stg_orders.sql"),
    ],
    ids=range(17),
)
def test_no_pattern_takes_long(text: str, path: str) -> None:
    begun = time.process_time()

    assert owners(text, path) == ()
    assert time.process_time() - begun < 5


@settings(deadline=5000, max_examples=30)
@given(
    st.lists(st.sampled_from(["*", "**/", "a", "?", "/", "\\a", "*a", "a/"]), min_size=1, max_size=5),
    st.integers(1, 500),
    st.sampled_from([LONG, DEEP, "/".join([LONG] * 4)]),
)
def test_no_repetition_takes_long(pieces: list[str], times: int, path: str) -> None:
    owners("".join(pieces) * times + "b @a", path)
