"""Which commits may be why."""

import pytest
from headless_dbt.model import Cause
from headless_dbt.suspects import MOST_SUSPECTS, Commit, files_of, passed_in, suspects_among

from tests.unit.builders import make_node, make_run

A, B = "model.shop.a", "model.shop.b"


def _commit(sha: str, *files: str, subject: str = "A change") -> Commit:
    return Commit(sha=sha, subject=subject, author="ada", files=frozenset(files))


def test_only_commits_that_touch_what_it_is_made_of_are_suspect() -> None:
    commits = [_commit("1", "README.md"), _commit("2", "models/a.sql", "x"), _commit("3", "models/b.sql")]
    assert [each.sha for each in suspects_among(commits, frozenset({"models/a.sql"}), ".")] == ["2"]


def test_a_file_of_a_package_is_known_wherever_the_package_lies() -> None:
    commits = [_commit("1", "shared/macros/cents.sql"), _commit("2", "shared/macros/other.sql")]
    assert [each.sha for each in suspects_among(commits, frozenset({"*/macros/cents.sql"}), ".")] == ["1"]


@pytest.mark.parametrize(
    ("project_dir", "expected"), [("dbt", ["2"]), ("./dbt/", ["2"]), (".", ["1", "2"]), ("", ["1", "2"])]
)
def test_of_a_run_as_a_whole_all_that_touches_the_project_is_suspect(project_dir: str, expected: list[str]) -> None:
    commits = [_commit("1", "app/main.py"), _commit("2", "dbt/models/a.sql")]
    assert [each.sha for each in suspects_among(commits, frozenset(), project_dir)] == expected


def test_the_newest_few_count_and_long_or_broken_words_are_cut() -> None:
    commits = [_commit(str(number), "a", subject="x" * 500 + "\ud800") for number in range(20)]
    found = suspects_among(commits, frozenset({"a"}), ".")
    assert [each.sha for each in found] == [str(number) for number in range(MOST_SUSPECTS)]
    assert all(len(each.subject) == 100 for each in found)
    assert suspects_among([_commit("1", "a", subject="\ud800")], frozenset({"a"}), ".")[0].subject == "?"


def test_the_files_of_a_cause_are_those_of_all_its_nodes() -> None:
    nodes = {A: make_node(A, touched_by=("a", "x")), B: make_node(B, touched_by=("b",))}
    assert files_of(Cause(key="k", nodes=(A, B, "model.shop.gone")), nodes) == {"a", "b", "x"}


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [({A: "success", B: "warn"}, True), ({A: "success"}, False), ({A: "success", B: "skipped"}, False)],
)
def test_a_run_is_green_for_a_cause_where_all_its_nodes_passed(statuses: dict[str, str], expected: bool) -> None:
    run = make_run([make_node(name, status) for name, status in statuses.items()])
    assert passed_in(Cause(key="k", nodes=(A, B)), run) is expected


def test_a_run_is_green_for_a_run_as_a_whole_where_it_was_green() -> None:
    assert passed_in(Cause(key="k"), make_run([make_node(A)]))
    assert not passed_in(Cause(key="k"), make_run([make_node(A, "error")]))
