"""The failure issue as a plan: what a run means for what the issue says now."""

import re
from typing import Any

import pytest
from headless_dbt.incident import (
    WHOLE_RUN,
    CloseIssue,
    CreateIssue,
    Issue,
    Plan,
    UpdateIssue,
    broken_by,
    healed_by,
    marker,
    pipeline_key,
    plan_incident,
    read_marker,
)
from headless_dbt.model import Run, Verdict
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import HOSTILE, make_context, make_node, make_problem, make_request, make_run

A, B = "model.shop.a", "model.shop.b"
# A request that names nodes: what it did not select, it says nothing about.
SOME = make_request(make_context(), select="tag:nightly")
KEY = pipeline_key(SOME)


def _run(*statuses: tuple[str, str], **changes: Any) -> Run:
    return make_run([make_node(name, status) for name, status in statuses], **{"request": SOME, **changes})


def _issue(*broken: str, number: int = 7, key: str = KEY) -> Issue:
    return Issue(number, f"Somebody's words.\n\n{marker(key, broken)}\n")


def _plan(run: Run, *issues: Issue) -> Plan:
    return plan_incident(run, issues, ("dbt-failure",), ("ada",), "https://artifact")


def _kind(plan: Plan) -> str:
    return "nothing" if plan is None else type(plan).__name__


GREEN_A = _run((A, "success"))
WARNED_A = _run((A, "warn"))
RED_A = _run((A, "error"))
RED_B_GREEN_A = _run((A, "success"), (B, "fail"))
SKIPPED_A = _run((A, "skipped"), status=Verdict.FAILURE)
UNUSABLE = _run(problem=make_problem(), status=Verdict.ERROR)
TIMEOUT = _run(problem=make_problem("Time", "…", 124), status=Verdict.TIMEOUT)
CANCELLED = _run((A, "error"), problem=make_problem(exit_code=130), status=Verdict.CANCELLED)
CANCELLED_LATE = _run((A, "success"), problem=make_problem(exit_code=130), status=Verdict.CANCELLED)
NOTHING_SELECTED = _run()


@pytest.mark.parametrize(
    ("run", "open_broken", "kind", "broken_after"),
    [
        pytest.param(GREEN_A, None, "nothing", None, id="green, no issue"),
        pytest.param(NOTHING_SELECTED, None, "nothing", None, id="nothing selected, no issue"),
        pytest.param(RED_A, None, "CreateIssue", {A}, id="a new failure"),
        pytest.param(RED_A, {A}, "UpdateIssue", {A}, id="the same failure again"),
        pytest.param(RED_A, {B}, "UpdateIssue", {A, B}, id="another failure beside one that was not selected"),
        pytest.param(RED_B_GREEN_A, {A}, "UpdateIssue", {B}, id="one healed, another broke"),
        pytest.param(GREEN_A, {A}, "CloseIssue", None, id="all of it healed"),
        pytest.param(WARNED_A, {A}, "CloseIssue", None, id="a warning is no failure"),
        pytest.param(GREEN_A, {B}, "nothing", None, id="green, but it was not selected"),
        pytest.param(NOTHING_SELECTED, {A}, "nothing", None, id="nothing selected heals no node"),
        pytest.param(GREEN_A, {A, B}, "UpdateIssue", {B}, id="healed in part"),
        pytest.param(SKIPPED_A, {A}, "UpdateIssue", {A, WHOLE_RUN}, id="a skipped node is not healed"),
        pytest.param(CANCELLED, None, "nothing", None, id="cancelled, no issue"),
        pytest.param(CANCELLED, {A}, "nothing", None, id="cancelled"),
        pytest.param(CANCELLED_LATE, {A}, "nothing", None, id="cancelled after it passed"),
        pytest.param(UNUSABLE, None, "CreateIssue", {WHOLE_RUN}, id="the run itself is broken"),
        pytest.param(UNUSABLE, {A}, "UpdateIssue", {A, WHOLE_RUN}, id="now the run itself is broken too"),
        pytest.param(UNUSABLE, {WHOLE_RUN}, "UpdateIssue", {WHOLE_RUN}, id="the run itself is broken still"),
        pytest.param(TIMEOUT, None, "CreateIssue", {WHOLE_RUN}, id="out of time"),
        pytest.param(GREEN_A, {WHOLE_RUN}, "CloseIssue", None, id="a verdict on nodes heals the run itself"),
        pytest.param(RED_A, {WHOLE_RUN}, "UpdateIssue", {A}, id="also a red one"),
        pytest.param(GREEN_A, set(), "CloseIssue", None, id="an issue about nothing is closed"),
    ],
)
def test_the_plan(run: Run, open_broken: set[str] | None, kind: str, broken_after: set[str] | None) -> None:
    issues = [] if open_broken is None else [_issue(*open_broken)]

    plan = _plan(run, *issues)

    assert _kind(plan) == kind
    if isinstance(plan, CreateIssue | UpdateIssue):
        assert read_marker(plan.body, KEY) == broken_after
    if isinstance(plan, UpdateIssue | CloseIssue):
        assert plan.number == 7


def test_a_new_issue_gets_the_labels_the_assignees_and_the_artifact() -> None:
    plan = _plan(RED_A)

    assert isinstance(plan, CreateIssue)
    assert (plan.labels, plan.assignees) == (("dbt-failure",), ("ada",))
    assert plan.title == "dbt failed on prod: a"
    assert "https://artifact" in plan.body


@pytest.mark.parametrize(
    "other",
    [
        make_request(make_context(workflow_file=".github/workflows/other.yml")),
        make_request(make_context(), target="dev"),
        make_request(make_context(), project_dir="dbt2"),
    ],
)
def test_the_issue_of_another_pipeline_is_left_alone(other: object) -> None:
    assert isinstance(other, type(SOME))
    key = pipeline_key(other)
    assert key != KEY

    assert _kind(_plan(RED_A, _issue(A, key=key))) == "CreateIssue"
    assert _kind(_plan(GREEN_A, _issue(A, key=key))) == "nothing"


def test_a_pipeline_stays_the_same_from_run_to_run() -> None:
    tomorrow = make_request(make_context(run_id="43", sha="f" * 40), select="other", vars="{day: 2}")

    assert pipeline_key(tomorrow) == KEY


def test_of_several_issues_the_oldest_counts() -> None:
    plan = _plan(RED_A, _issue(A, number=12), _issue(B, number=9), Issue(3, "no marker"))

    assert isinstance(plan, UpdateIssue)
    assert plan.number == 9
    assert read_marker(plan.body, KEY) == frozenset({A, B})


@pytest.mark.parametrize("state", ["", "AAAA", "not*base64", "eyJicm9rZW4iOiA3fQ==", "W10=", "e30=", "AAA", "/w=="])
def test_an_edited_marker_is_still_this_pipelines_and_healed_by_the_next_verdict(state: str) -> None:
    issue = Issue(7, f"<!-- headless-dbt:v1:{KEY}:{state} -->")

    if re.fullmatch(r"[A-Za-z0-9+/=]*", state):
        assert read_marker(issue.body, KEY) == frozenset({WHOLE_RUN})
        assert _kind(_plan(GREEN_A, issue)) == "CloseIssue"
        assert _kind(_plan(RED_A, issue)) == "UpdateIssue"
    else:
        assert read_marker(issue.body, KEY) is None


def test_a_body_without_a_marker_is_somebody_elses() -> None:
    assert read_marker("", KEY) is None
    assert read_marker(f"headless-dbt:v1:{KEY}:", KEY) is None
    assert _kind(_plan(RED_A, Issue(7, "dbt failed on prod: a"))) == "CreateIssue"


def test_github_may_change_the_line_ends_around_the_marker() -> None:
    assert read_marker(f"text\r\n\r\n{marker(KEY, [A])}\r\n", KEY) == frozenset({A})


@given(st.frozensets(st.text(st.characters(exclude_categories=["Cs"]))))
def test_nothing_in_an_id_can_end_the_marker(ids: frozenset[str]) -> None:
    written = marker(KEY, ids)

    assert read_marker(f"before\n{written}\nafter", KEY) == ids
    assert written.count("-->") == 1
    assert written.endswith(" -->")
    assert "\n" not in written


@pytest.mark.parametrize("hostile", [*HOSTILE, "--> <b>", "<!-- headless-dbt:v1:0000000000000000:", "@everyone #1"])
def test_a_hostile_id_stays_in_its_marker(hostile: str) -> None:
    written = marker(KEY, [hostile])

    assert hostile not in written
    assert read_marker(written, KEY) == frozenset({hostile})


def test_a_marker_in_a_nodes_message_is_not_believed() -> None:
    forged = marker(KEY, ["model.shop.forged"])
    run = make_run([make_node(A, "error", message=f"Binder Error: {forged}")], request=SOME)

    plan = _plan(run)

    assert isinstance(plan, CreateIssue)
    assert read_marker(plan.body, KEY) == frozenset({A})


def test_a_thousand_failures_still_fit_into_an_issue() -> None:
    """GitHub takes 65,536 characters a body and refuses the issue of a longer one: when most is broken."""
    nodes = [
        make_node(
            f"test.shop.accepted_values_fct_orders_{number}_order_status__placed__completed__returned.{number:010x}",
            "fail",
            message="Got 2 results, configured to fail if != 0\n" * 100,
            file=f"models/marts/fct_orders_{number}.yml",
        )
        for number in range(2000)
    ]

    plan = _plan(make_run(nodes, request=SOME))

    assert isinstance(plan, CreateIssue)
    assert len(plan.title) <= 256
    assert len(plan.body) <= 65536
    assert read_marker(plan.body, KEY)


def test_a_green_run_of_the_whole_project_heals_what_is_no_longer_in_it() -> None:
    """Somebody deletes the failing test: the run is green, and nothing can ever pass that is not there."""
    whole = make_request(make_context())
    run = make_run([make_node(A)], request=whole, whole_project=True)
    issue = _issue("test.shop.deleted", key=pipeline_key(whole))

    assert _kind(plan_incident(run, [issue], (), (), "")) == "CloseIssue"


def test_the_title_of_an_issue_that_healed_in_part_does_not_speak_of_no_failures() -> None:
    plan = _plan(GREEN_A, _issue(A, B))

    assert isinstance(plan, UpdateIssue)
    assert "0 failures" not in str(plan.title)
    assert "0 failures" not in plan.body


@pytest.mark.parametrize(
    ("run", "broken"),
    [
        (GREEN_A, set()),
        (WARNED_A, set()),
        (NOTHING_SELECTED, set()),
        (CANCELLED, set()),
        (RED_A, {A}),
        (_run((A, "error"), problem=make_problem()), {A}),
        (SKIPPED_A, {WHOLE_RUN}),
        (UNUSABLE, {WHOLE_RUN}),
    ],
)
def test_what_a_run_shows_to_be_broken(run: Run, broken: set[str]) -> None:
    assert broken_by(run) == broken


def test_only_what_ran_and_did_not_fail_is_healed() -> None:
    run = _run((A, "success"), (B, "error"), ("model.shop.c", "skipped"), ("model.shop.d", "warn"))

    assert healed_by(run, {A, B, "model.shop.c", "model.shop.d", "model.shop.e"}) == {A, "model.shop.d"}


def test_a_run_that_broke_off_does_not_heal_itself() -> None:
    assert healed_by(_run((A, "success"), problem=make_problem()), {WHOLE_RUN, A}) == {A}


def test_what_somebody_wrote_below_the_line_is_kept_if_the_line_says_so() -> None:
    first = _plan(RED_A)
    assert isinstance(first, CreateIssue)

    second = _plan(RED_A, Issue(7, f"{first.body}\n\nAda: I am on it."))

    assert isinstance(second, UpdateIssue)
    assert "Ada: I am on it." in second.body or "above this line" not in second.body


def test_a_run_that_selected_nothing_heals_nothing() -> None:
    assert healed_by(make_run(request=SOME, status=Verdict.WARN), {WHOLE_RUN, A}) == frozenset()


def test_a_part_of_the_project_that_is_green_is_not_the_whole() -> None:
    """selectors.yml may have a default, and dbt flags in the environment choose too."""
    assert healed_by(make_run([make_node(B)], request=SOME), {A}) == frozenset()


@pytest.mark.parametrize(("event", "kind"), [("workflow_dispatch", "nothing"), ("schedule", "CreateIssue")])
def test_a_slip_at_the_button_opens_no_issue(event: str, kind: str) -> None:
    request = make_request(make_context(event=event))
    run = make_run(request=request, problem=make_problem(exit_code=2), status=Verdict.ERROR)

    assert _kind(plan_incident(run, [], (), (), "")) == kind


@pytest.mark.parametrize("spelled", ["dbt", "dbt/", "./dbt", "x/../dbt"])
def test_a_project_is_one_pipeline_however_its_folder_is_spelled(spelled: str) -> None:
    one, other = (make_request(make_context(), project_dir=given) for given in ("dbt", spelled))

    assert pipeline_key(one) == pipeline_key(other)


def test_a_title_that_a_person_wrote_stays() -> None:
    issue = Issue(7, marker(pipeline_key(RED_A.request), [A]), "We look into it")

    plan = plan_incident(RED_A, [issue], (), (), "")

    assert isinstance(plan, UpdateIssue)
    assert plan.title is None
