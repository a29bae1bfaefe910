"""The life of a failure issue, told as stories: runs come in, and what is on GitHub is looked at."""

import base64
import json
import re
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import msgspec
import pytest
from headless_dbt.assessment import Issue, Policy, assess, causes_of, pipeline_key
from headless_dbt.incident import MOST_BODY, Findings, Plan, make_plan
from headless_dbt.incident_state import END, Suspect, marked, marker
from headless_dbt.model import Exposure, Run, Verdict

from tests.unit.builders import make_context, make_node, make_problem, make_request, make_run

A, B, C = "model.shop.a", "model.shop.b", "model.shop.c"
MONDAY = datetime(2026, 2, 2, 6, tzinfo=UTC)
# A request that names nodes: what it did not select, it says nothing about.
SOME = make_request(make_context(), select="tag:nightly")
MESSAGES = {A: "Binder Error: no column", B: "Parser Error: no comma", C: "Catalog Error: no table"}


def ran(*statuses: tuple[str, str], sha: str = "1" * 40, run_id: str = "42", **changes: Any) -> Run:
    nodes = [
        make_node(name, status, message=MESSAGES.get(name, "") if status == "error" else "")
        for name, status in statuses
    ]
    context = make_context(sha=sha, run_id=run_id)
    return make_run(nodes, **{"request": make_request(context, select="tag:nightly"), **changes})


@dataclass
class Desk:
    """GitHub as far as a plan changes it."""

    policy: Policy = field(default_factory=lambda: Policy(labels=("dbt-failure",)))
    now: datetime = MONDAY
    issues: list[Issue] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    owners: dict[str, tuple[str, ...]] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)

    def tell(
        self,
        run: Run,
        *,
        after: timedelta = timedelta(days=1),
        existing: Collection[str] | None = None,
        started: datetime | None = None,
    ) -> list[Plan]:
        self.now += after
        run = msgspec.structs.replace(run, started_at=(started or self.now).strftime("%Y-%m-%dT%H:%M:%SZ"))
        found = assess(run, self.issues, self.policy, self.owners, existing, self.now)
        known = replace(self.findings, owners=self.owners)
        plans = [
            plan for one in found if (plan := make_plan(one, run, self.policy, known, "https://artifact", self.now))
        ]
        for plan in plans:
            self._apply(plan)
        self.plans += plans
        return plans

    def _apply(self, plan: Plan) -> None:
        assert len(plan.body) <= MOST_BODY
        if plan.comment:
            self.comments.append(plan.comment)
        closed_at = None if plan.is_open else self.now
        if plan.number is None:
            self.issues.append(Issue(len(self.issues) + 1, plan.body, plan.title or ""))
        else:
            before = next(issue for issue in self.issues if issue.number == plan.number)
            after = replace(
                before, body=plan.body, title=plan.title or before.title, is_open=plan.is_open, closed_at=closed_at
            )
            self.issues[self.issues.index(before)] = after

    @property
    def open_ones(self) -> list[Issue]:
        return [issue for issue in self.issues if issue.is_open]

    @property
    def only(self) -> Issue:
        (issue,) = self.open_ones
        return issue


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_green_run_opens_nothing(desk: Desk) -> None:
    assert desk.tell(ran((A, "success"))) == []


def test_the_same_failure_night_after_night_is_one_issue_without_a_comment(desk: Desk) -> None:
    for night in range(5):
        message = f"Binder Error: no column, job {night}{night}{night}-abc at 2026-02-0{night + 1}T06:00:00Z"
        desk.tell(_failing(A, message, run_id=str(night)))
    assert len(desk.issues) == 1
    assert desk.comments == []
    assert "run 0" in desk.only.body, "since the first night"
    assert "actions/runs/4)" in desk.only.body, "of the last one"


def _failing(name: str, message: str, **changes: Any) -> Run:
    context = make_context(run_id=changes.pop("run_id", "42"), sha=changes.pop("sha", "1" * 40))
    return make_run([make_node(name, "error", message=message)], request=make_request(context, select="x"), **changes)


def test_a_new_cause_is_one_comment(desk: Desk) -> None:
    desk.tell(ran((A, "error")))
    desk.tell(ran((A, "error"), (B, "error")))
    desk.tell(ran((A, "error"), (B, "error")))
    (comment,) = desk.comments
    assert "**New**" in comment
    assert "- `b`" in comment
    assert "`a`" not in comment
    assert len(desk.issues) == 1


def test_another_error_of_the_same_node_is_news_but_heals_nothing(desk: Desk) -> None:
    desk.tell(_failing(A, "Binder Error: no such column"))
    desk.tell(_failing(A, "Parser Error: there is a comma missing"))
    (comment,) = desk.comments
    assert "Parser Error" in comment
    assert "Healed" not in comment
    assert "Binder" not in desk.only.body


def test_what_heals_in_part_is_named(desk: Desk) -> None:
    desk.tell(ran((A, "error"), (B, "error")))
    desk.tell(ran((A, "success"), (B, "error")))
    (comment,) = desk.comments
    assert "**Healed**" in comment
    assert "- `a`" in comment
    assert "1 cause still open" in comment
    assert desk.only.is_open


def test_new_and_healed_in_one_run_are_one_comment(desk: Desk) -> None:
    desk.tell(ran((A, "error"), (B, "success")))
    desk.tell(ran((A, "success"), (B, "error")))
    (comment,) = desk.comments
    assert "**New**" in comment
    assert "**Healed**" in comment


def test_all_healed_closes_with_how_long_it_lasted_and_which_commits_healed_it(desk: Desk) -> None:
    desk.tell(ran((A, "error"), sha="a" * 40))
    desk.tell(ran((A, "error"), sha="b" * 40), after=timedelta(days=2))
    desk.tell(ran((A, "success"), sha="c" * 40, run_id="77"), after=timedelta(days=1))
    assert desk.open_ones == []
    (comment,) = desk.comments
    assert "It lasted 3 days." in comment
    assert f"/compare/{'b' * 40}...{'c' * 40}" in comment
    assert "run 77" in comment


def test_what_healed_by_itself_is_said_to_have(desk: Desk) -> None:
    desk.tell(ran((A, "error")))
    desk.tell(ran((A, "success")), after=timedelta(hours=1))
    assert "No commit healed it" in desk.comments[0]
    assert "It lasted 1 h 0 min." in desk.comments[0]


@pytest.mark.parametrize(("days", "reopened"), [(1, True), (6.9, True), (7.1, False), (60, False)])
def test_a_failure_within_a_week_opens_the_same_issue_again(desk: Desk, days: float, reopened: bool) -> None:
    desk.tell(ran((A, "error")))
    desk.tell(ran((A, "success")))
    desk.tell(ran((B, "error")), after=timedelta(days=days))
    assert len(desk.issues) == (1 if reopened else 2)
    if reopened:
        assert "Failing again" in desk.comments[-1]
    else:
        assert "It failed before: #1." in desk.only.body
    # And it is a new episode: how long it lasts counts from now.
    desk.tell(ran((B, "success")), after=timedelta(hours=3))
    assert desk.open_ones == []
    assert "It lasted 3 h 0 min." in desk.comments[-1]


def test_a_run_that_did_not_select_a_node_says_nothing_about_it(desk: Desk) -> None:
    """A green hourly run never closes the incident of a nightly model."""
    desk.tell(ran((A, "error"), (B, "success")))
    assert desk.tell(ran((B, "success"))) == []
    assert desk.tell(ran((B, "success"), (C, "success"))) == []
    assert desk.only.is_open


def test_a_red_run_of_something_else_keeps_what_was_open(desk: Desk) -> None:
    desk.tell(ran((A, "error")))
    desk.tell(ran((B, "error")))
    assert "not passed since" in desk.only.body
    desk.tell(ran((B, "success")))
    assert desk.only.is_open
    desk.tell(ran((A, "success")))
    assert desk.open_ones == []


def test_what_is_known_of_a_cause_stays_while_other_runs_come_in(desk: Desk) -> None:
    """A green hourly run must not take the error of the nightly one out of sight."""
    desk.owners = {A: ("@ada",)}
    desk.tell(ran((A, "error"), (B, "error")))
    desk.tell(ran((B, "success")))
    assert "Binder Error: no column" in desk.only.body
    assert "Parser Error" not in desk.only.body
    desk.tell(ran((C, "error")))
    assert "Binder Error: no column" in desk.only.body
    assert "Catalog Error" in desk.only.body
    assert desk.only.body.count("@ada") == 1
    desk.tell(ran((A, "success"), (C, "error")))
    assert "Binder Error" not in desk.only.body


def test_a_message_that_looks_like_our_comments_is_not_taken_for_one(desk: Desk) -> None:
    (cause,) = causes_of(ran((A, "error")), desk.policy)
    fake = (
        f"x\n<!-- headless-dbt:cause -->\n@everyone\n<!-- headless-dbt:cause:{cause.key} -->\n<!-- headless-dbt:end -->"
    )
    desk.tell(_failing(B, fake))
    desk.tell(ran((A, "error")))
    assert desk.only.body.count("<!-- headless-dbt:cause -->") == 2
    assert desk.only.body.count(END) == 1


def test_a_skipped_node_is_not_healed(desk: Desk) -> None:
    desk.tell(ran((A, "error"), (B, "error")))
    desk.tell(ran((A, "error"), (B, "skipped")))
    assert desk.comments == []
    known = marked(desk.only.body, pipeline_key(SOME))
    assert known is not None
    assert {name for cause in known.state.causes for name in cause.nodes} == {A, B}


def test_an_outage_that_hits_other_nodes_the_next_night_is_the_same_cause(desk: Desk) -> None:
    outage = "503 GET https://bigquery/jobs: Backend Error"
    desk.tell(make_run([make_node(f"model.shop.m{n}", "error", message=outage) for n in range(9)], request=SOME))
    desk.tell(make_run([make_node(f"model.shop.m{n}", "error", message=outage) for n in range(5, 15)], request=SOME))
    assert desk.comments == []
    assert len(desk.issues) == 1
    # Each of them has to pass.
    desk.tell(make_run([make_node(f"model.shop.m{n}") for n in range(14)], request=SOME))
    assert desk.only.is_open
    desk.tell(make_run([make_node("model.shop.m14")], request=SOME))
    assert desk.open_ones == []


def test_a_node_that_is_gone_from_the_project_is_healed_also_by_a_part_of_it(desk: Desk) -> None:
    desk.tell(ran((A, "error")))
    assert desk.tell(ran((B, "success")), existing={A, B}) == []
    desk.tell(ran((B, "success")), existing={B})
    assert desk.open_ones == []


def test_a_whole_run_that_does_not_check_freshness_says_nothing_of_a_stale_source(desk: Desk) -> None:
    source = "source.shop.raw.orders"
    stale = make_run(
        [make_node(source, "error", message="Last loaded 50.0 h ago.", resource_type="source")], request=SOME
    )
    desk.tell(stale)
    assert desk.tell(ran((A, "success"), whole_project=True), existing={A, source}) == []
    assert desk.only.is_open


def test_two_stale_sources_are_two_causes(desk: Desk) -> None:
    def stale(*names: str) -> Run:
        said = "Last loaded 50.0 h ago, at 2026-01-31."
        nodes = [make_node(f"source.shop.raw.{name}", "error", message=said, resource_type="source") for name in names]
        return make_run(nodes, request=SOME)

    desk.tell(stale("orders"))
    desk.tell(stale("orders", "leads"))
    (comment,) = desk.comments
    assert "raw.leads" in comment


NIGHTLY, HOURLY = make_request(make_context()), make_request(make_context(), select="tag:hourly")


def test_a_part_of_the_project_does_not_heal_what_ended_the_whole(desk: Desk) -> None:
    """Else an hourly run would close every hour what a nightly time limit opened."""
    problem = make_problem("The time limit ended the run", "It is over.", 124)
    slow = make_node(C, "error", message="INTERRUPT Error: Interrupted!")
    desk.tell(make_run([make_node(A), slow], Verdict.TIMEOUT, problem=problem, request=NIGHTLY))
    assert "It cut off `model.shop.c`" in desk.only.body
    assert desk.tell(ran((A, "success"), request=HOURLY)) == []
    # All that it cut off has passed by itself; the night has not.
    desk.tell(ran((C, "success"), request=HOURLY))
    assert desk.only.is_open
    assert desk.comments == []
    desk.tell(ran((A, "success"), (C, "success"), request=NIGHTLY))
    assert desk.open_ones == []


def test_a_run_that_is_told_of_late_heals_nothing(desk: Desk) -> None:
    began = MONDAY + timedelta(hours=1)
    desk.tell(ran((A, "error"), sha="2" * 40))
    assert desk.tell(ran((A, "success"), sha="1" * 40), started=began) == []
    desk.tell(ran((B, "error"), sha="1" * 40), started=began)
    assert len(desk.comments) == 1, "but what it found broken is told"
    desk.tell(ran((A, "success"), (B, "success"), sha="3" * 40))
    assert f"{'2' * 7}...{'3' * 7}" in desk.comments[-1]


def test_what_a_person_closed_too_early_is_the_same_incident(desk: Desk) -> None:
    desk.tell(ran((A, "error"), run_id="1"))
    desk.issues[0] = replace(desk.only, is_open=False, closed_at=desk.now)
    desk.tell(ran((A, "error")))
    (comment,) = desk.comments
    assert (
        comment
        == "**Opened again**: it was closed, and [run 42](https://github.com/acme/shop/actions/runs/42) failed still."
    )
    assert "run 1]" in desk.only.body, "since the first run"


def test_a_closed_issue_keeps_what_it_said(desk: Desk) -> None:
    desk.tell(ran((A, "error")))
    desk.tell(ran((A, "success")))
    assert "Binder Error: no column" in desk.issues[0].body


def test_warnings_that_become_failures_are_news() -> None:
    eager = Desk(policy=Policy(warnings_too=True))
    said = "Got 3 results"
    eager.tell(make_run([make_node("test.shop.t", "warn", message=said)], request=SOME))
    eager.tell(make_run([make_node("test.shop.t", "fail", message=said)], request=SOME))
    assert len(eager.comments) == 1


def test_the_same_words_of_a_failure_and_a_warning_are_two_causes() -> None:
    eager = Desk(policy=Policy(warnings_too=True))
    nodes = [make_node(A, "error", message="the same words"), make_node(B, "warn", message="the same words")]
    eager.tell(make_run(nodes, request=SOME))
    eager.tell(ran((B, "warn")))
    eager.tell(ran((B, "success")))
    assert eager.only.is_open


def test_an_outage_of_several_owners_is_told_to_each_and_none_is_lost(desk: Desk) -> None:
    desk.policy, desk.owners = Policy(per_owner=True), {A: ("@ada",), B: ("@bob",)}
    outage = {"message": "503 Service Unavailable: Backend Error"}
    both = make_run([make_node(A, "error", **outage), make_node(B, "error", **outage)], request=SOME)
    desk.tell(both)
    assert len(desk.open_ones) == 2
    desk.tell(make_run([make_node(B, "error", **outage)], request=SOME))
    desk.tell(ran((B, "success")))
    assert "shop.a" in desk.only.body
    desk.tell(both)
    assert len(desk.open_ones) == 2


def test_a_title_that_a_person_went_on_writing_stays(desk: Desk) -> None:
    desk.tell(ran((A, "error")))
    desk.issues[0] = replace(desk.only, title=f"{desk.only.title} [Ada looks at it]")
    desk.tell(ran((A, "error"), (B, "error")))
    assert desk.only.title.endswith("[Ada looks at it]")


def test_people_may_write_more_than_leaves_room(desk: Desk) -> None:
    outage = [make_node(f"model.shop.m{n:04}", "error", message=MESSAGES[A]) for n in range(500)]
    desk.tell(make_run(outage, request=SOME))
    for words in (60_000, 64_500):
        desk.issues[0] = replace(desk.only, body=desk.only.body.partition(END)[0] + END + "x" * words)
        desk.tell(make_run(outage, request=SOME))
        assert len(desk.only.body) <= 65_536
        assert desk.only.body.endswith("x" * words)
    assert desk.comments == []
    assert len(desk.issues) == 1


def test_notes_survive_a_marker_that_lost_its_end(desk: Desk) -> None:
    desk.tell(ran((A, "error")))
    desk.issues[0] = replace(desk.only, body=desk.only.body.replace(END, "") + "\nMy notes.")
    desk.tell(ran((A, "error")))
    assert "My notes." in desk.only.body


def test_the_same_news_has_the_same_mark_until_it_was_written(desk: Desk) -> None:
    desk.tell(ran((A, "error")))
    before = list(desk.issues)
    (first,) = desk.tell(ran((A, "error"), (B, "error")))
    desk.issues = before
    (second,) = desk.tell(ran((A, "error"), (B, "error")))
    (later,) = desk.tell(ran((A, "error"), (B, "success")))
    assert first.news == second.news != later.news


def test_a_run_that_could_not_work_at_all_is_healed_by_one_that_did(desk: Desk) -> None:
    broken = ran(problem=make_problem(), status=Verdict.ERROR)
    desk.tell(broken)
    desk.tell(broken)
    assert desk.comments == []
    assert desk.tell(ran()) == [], "a run that selected nothing says nothing"
    desk.tell(ran((B, "success")))
    assert desk.open_ones == []


def test_another_problem_of_the_whole_run_is_news(desk: Desk) -> None:
    desk.tell(ran(problem=make_problem(message="No connection to the warehouse."), status=Verdict.ERROR))
    desk.tell(ran(problem=make_problem(message="The project cannot be parsed."), status=Verdict.ERROR))
    (comment,) = desk.comments
    assert "parsed" in comment
    assert "Healed" not in comment


def test_a_run_that_skipped_everything_and_failed_nothing_is_an_incident(desk: Desk) -> None:
    desk.tell(ran((A, "skipped"), status=Verdict.FAILURE))
    assert "1 nodes were skipped, although none failed" in desk.only.body


def test_a_cancelled_run_says_nothing(desk: Desk) -> None:
    assert desk.tell(ran((A, "error"), problem=make_problem(exit_code=130), status=Verdict.CANCELLED)) == []
    desk.tell(ran((A, "error")))
    assert desk.tell(ran((A, "success"), problem=make_problem(exit_code=130), status=Verdict.CANCELLED)) == []


@pytest.mark.parametrize(("event", "opened"), [("workflow_dispatch", False), ("schedule", True)])
def test_a_slip_at_the_button_opens_no_issue(desk: Desk, event: str, opened: bool) -> None:
    request = make_request(make_context(event=event))
    desk.tell(make_run(problem=make_problem(exit_code=2), status=Verdict.ERROR, request=request))
    assert bool(desk.issues) is opened


@pytest.mark.parametrize(
    ("event", "arguments", "counts"),
    [
        ("pull_request", "", False),
        ("pull_request_target", "", False),
        ("merge_group", "", False),
        ("schedule", "--resource-type model --empty", False),
        ("schedule", "--sample=3 days", False),
        ("push", "--no-empty", True),
        ("workflow_dispatch", "", True),
    ],
)
@pytest.mark.parametrize("status", ["error", "success"])
def test_what_is_not_production_neither_opens_an_issue_nor_closes_one(
    desk: Desk, event: str, arguments: str, counts: bool, status: str
) -> None:
    nightly = make_request(make_context(event="schedule"))
    request = make_request(make_context(event=event), dbt_args=arguments)
    if status == "success":
        desk.tell(ran((A, "error"), request=nightly))
    before = len(desk.open_ones)
    desk.tell(ran((A, status), request=request))
    assert (len(desk.open_ones) != before) is counts


def test_warnings_open_an_issue_only_where_they_shall(desk: Desk) -> None:
    warned = ran((A, "warn"))
    assert desk.tell(warned) == []
    eager = Desk(policy=Policy(warnings_too=True))
    eager.tell(warned)
    assert eager.only.is_open
    eager.tell(ran((A, "success")))
    assert eager.open_ones == []


def test_a_warning_heals_a_failure_unless_warnings_count(desk: Desk) -> None:
    desk.tell(ran((A, "error")))
    desk.tell(ran((A, "warn")))
    assert desk.open_ones == []
    eager = Desk(policy=Policy(warnings_too=True))
    eager.tell(ran((A, "error")))
    eager.tell(ran((A, "warn")))
    assert eager.only.is_open


@pytest.mark.parametrize(
    "other",
    [
        make_request(make_context(workflow_file=".github/workflows/other.yml")),
        make_request(make_context(), target="dev"),
        make_request(make_context(), project_dir="other"),
    ],
)
def test_another_pipeline_has_an_issue_of_its_own(desk: Desk, other: Any) -> None:
    desk.tell(ran((A, "error")))
    desk.tell(ran((A, "error"), request=other))
    assert len(desk.open_ones) == 2
    desk.tell(ran((A, "success"), request=other))
    assert [issue.number for issue in desk.open_ones] == [1]


def test_a_key_of_their_own_keeps_pipelines_apart(desk: Desk) -> None:
    desk.tell(ran((A, "error")))
    desk.policy = Policy(key="hourly")
    desk.tell(ran((A, "error")))
    assert len(desk.open_ones) == 2


@pytest.mark.parametrize("spelled", ["dbt", "dbt/", "./dbt", "x/../dbt"])
def test_a_project_is_one_pipeline_however_its_folder_is_spelled(spelled: str) -> None:
    assert pipeline_key(make_request(project_dir=spelled)) == pipeline_key(make_request(project_dir="dbt"))


def test_what_people_wrote_stays(desk: Desk) -> None:
    desk.tell(ran((A, "error")))
    body = f"I look into it.\n\n{desk.only.body}\n\nIt is the new column."
    desk.issues[0] = replace(desk.only, body=body, title="We look into it")
    desk.tell(ran((A, "error"), (B, "error")))
    assert desk.only.body.startswith("I look into it.\n\n<!-- headless-dbt:v2:")
    assert desk.only.body.endswith(f"{END}\n\nIt is the new column.")
    assert desk.only.title == "We look into it"
    desk.tell(ran((A, "success"), (B, "success")))
    assert "It is the new column." in desk.issues[0].body


def test_of_several_issues_the_oldest_that_a_member_wrote_counts(desk: Desk) -> None:
    desk.tell(ran((A, "error")))
    copied = desk.issues[0].body
    desk.issues = [Issue(3, copied, trusted=False), Issue(8, copied), Issue(5, copied)]
    (plan,) = desk.tell(ran((A, "error")))
    assert plan.number == 5


def test_a_duplicate_that_was_closed_is_never_opened_again(desk: Desk) -> None:
    desk.tell(ran((A, "error")))
    known = marked(desk.only.body, pipeline_key(SOME))
    assert known is not None
    body = f"{marker(known.key, 'duplicate', known.state)}\nTwo at once."
    desk.issues[0] = replace(desk.only, body=body, is_open=False, closed_at=desk.now)
    desk.tell(ran((A, "error")))
    assert [issue.number for issue in desk.open_ones] == [2]


def test_an_issue_of_the_first_version_goes_on(desk: Desk) -> None:
    state = base64.b64encode(zlib.compress(json.dumps({"broken": [A]}).encode())).decode()
    desk.issues = [Issue(4, f"<!-- headless-dbt:v1:{pipeline_key(SOME)}:{state} -->\nOld.\n\n{END}")]
    desk.tell(ran((A, "error")))
    assert desk.comments == []
    assert desk.only.number == 4
    desk.tell(ran((A, "success")))
    assert desk.open_ones == []


def test_a_damaged_marker_is_healed_by_the_next_verdict(desk: Desk) -> None:
    desk.issues = [Issue(4, f"<!-- headless-dbt:v2:{pipeline_key(SOME)}:all:AAAA -->\nOld.\n\n{END}")]
    assert desk.tell(ran((B, "success"))) == []
    desk.tell(ran((B, "success"), whole_project=True))
    assert desk.open_ones == []


def test_more_causes_than_have_room_are_no_comment_a_night_and_close_with_a_green_whole(desk: Desk) -> None:
    tests = [make_node(f"test.shop.t{number:04}", "fail", message="Got 1 result") for number in range(2000)]
    for _ in range(3):
        desk.tell(make_run(tests, request=SOME))
    assert desk.comments == []
    assert len(desk.issues) == 1
    desk.tell(make_run([make_node(node.unique_id) for node in tests[:1500]], request=SOME))
    assert desk.only.is_open
    desk.tell(make_run([make_node(node.unique_id) for node in tests], request=SOME, whole_project=True))
    assert desk.open_ones == []


def test_one_issue_per_owner(desk: Desk) -> None:
    desk.policy = Policy(per_owner=True)
    desk.owners = {A: ("@ada",), B: ("finance",), C: ("@ada",)}
    desk.tell(ran((A, "error"), (B, "error"), (C, "error")))
    assert len(desk.open_ones) == 2
    first, second = sorted(desk.open_ones, key=lambda issue: -issue.body.count("###"))
    assert "shop.a" in first.body
    assert "shop.b" not in first.body
    assert "shop.b" in second.body
    desk.tell(ran((A, "success"), (B, "error"), (C, "success")))
    assert [issue.number for issue in desk.open_ones] == [second.number]


def test_an_owner_who_changes_moves_the_cause(desk: Desk) -> None:
    desk.policy = Policy(per_owner=True)
    desk.owners = {A: ("@ada",)}
    desk.tell(ran((A, "error")))
    desk.owners = {A: ("@grace",)}
    desk.tell(ran((A, "error")))
    assert len(desk.open_ones) == 1
    assert any("kept in other issues" in comment for comment in desk.comments)


def test_one_issue_for_all_again(desk: Desk) -> None:
    desk.policy = Policy(per_owner=True)
    desk.owners = {A: ("@ada",), B: ("@grace",)}
    desk.tell(ran((A, "error"), (B, "error")))
    desk.policy = Policy()
    desk.tell(ran((A, "error"), (B, "error")))
    assert len(desk.open_ones) == 1


def test_owners_are_mentioned_once_and_assigned_where_they_can_be(desk: Desk) -> None:
    desk.policy = Policy(assignees=("octocat", "nobody"))
    desk.owners = {A: ("@ada", "@acme/data", "Finance team"), B: ("@ada",)}
    desk.findings = Findings(assignable=frozenset({"ada", "octocat"}))
    (plan,) = desk.tell(ran((A, "error"), (B, "error")))
    assert plan.assignees == ("octocat", "ada")
    alive = re.sub(r"`[^`]*`|```.*?```", "", plan.body, flags=re.DOTALL)
    assert alive.count("@ada") == 1
    assert alive.count("@acme/data") == 1
    assert "`Finance team`" in plan.body
    (plan,) = desk.tell(ran((A, "error"), (B, "error"), (C, "error")))
    assert "@ada" not in re.sub(r"`[^`]*`", "", plan.comment or "")


def test_who_left_the_issue_is_not_assigned_again_for_something_else(desk: Desk) -> None:
    desk.policy = Policy(assignees=("octocat",))
    desk.owners = {A: ("@ada",), B: ("@grace",)}
    desk.findings = Findings(assignable=frozenset({"ada", "grace", "octocat"}))
    (first,) = desk.tell(ran((A, "error")))
    assert first.assignees == ("octocat", "ada")
    (second,) = desk.tell(ran((A, "error"), (B, "error")))
    assert second.assignees == ("grace",)


def test_suspects_and_the_last_green_commit_stay_with_the_cause(desk: Desk) -> None:
    (cause,) = causes_of(ran((A, "error")), desk.policy)
    desk.findings = Findings(
        green={cause.key: "9" * 40},
        suspects={cause.key: (Suspect(sha="8" * 40, subject="Rename a column", author="grace"),)},
    )
    desk.tell(ran((A, "error")))
    desk.findings = Findings()
    desk.tell(ran((A, "error")))
    assert "`Rename a column` by `grace`" in desk.only.body
    assert f"/commit/{'9' * 40}" in desk.only.body


def test_the_title_says_what_is_broken_and_what_that_blocks(desk: Desk) -> None:
    (cause,) = causes_of(ran((A, "error")), desk.policy)
    board = Exposure(unique_id="exposure.shop.board", name="Weekly revenue dashboard", kind="dashboard")
    with_board = msgspec.structs.replace(cause, exposures=(board,), blocks=3)
    desk.tell(ran((A, "error"), causes=(with_board,)))
    assert desk.only.title == "dbt failed on prod: a, blocks Weekly revenue dashboard"
    assert desk.only.body.index("Weekly revenue dashboard") < desk.only.body.index("no column")


def test_runs_in_any_order_never_lose_or_double_an_incident() -> None:
    """Every order of six small runs: an issue is open exactly where something failed and has not passed since."""
    runs = {
        "red a": ran((A, "error"), (B, "success")),
        "red b": ran((B, "error")),
        "green a": ran((A, "success")),
        "green b": ran((B, "success")),
        "both": ran((A, "success"), (B, "error")),
        "problem": ran(problem=make_problem(), status=Verdict.ERROR),
    }
    for order in permutations(runs):
        desk, broken = Desk(), _broken_after(set(), "")
        for name in order:
            desk.tell(runs[name])
            broken = _broken_after(broken, name)
            assert len(desk.open_ones) == bool(broken), (order, name, broken)
            assert not broken or broken == _open_nodes(desk.only), (order, name)


def _broken_after(broken: set[str], name: str) -> set[str]:
    fails: dict[str, Iterable[str]] = {"red a": [A], "red b": [B], "both": [B], "problem": ["run"]}
    passes = {"red a": [B, "run"], "red b": ["run"], "green a": [A, "run"], "green b": [B, "run"], "both": [A, "run"]}
    return (broken - set(passes.get(name, ()))) | set(fails.get(name, ()))


def _open_nodes(issue: Issue) -> set[str]:
    known = marked(issue.body, pipeline_key(SOME))
    assert known is not None
    return {name for cause in known.state.causes for name in cause.nodes or ("run",)}
