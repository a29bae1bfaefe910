"""The pages of docs/ show nothing that is not tested: files that are run or parsed, inputs and places that exist."""

import re
from pathlib import Path

import pytest
from headless_dbt.bigquery_advice import bigquery_advice
from headless_dbt.inputs import INPUTS
from headless_dbt.job_options import job_options

from tests.unit.builders import make_context

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
BIGQUERY = (ROOT / "docs/bigquery.md").read_text("utf-8")
GENERATED = re.compile(r"<!-- (?:example|file|table): [a-z./-]+ -->\n.*?<!-- end -->", re.DOTALL)
# https://cloud.google.com/bigquery/docs/information-schema-jobs
OF_A_JOB = {"total_bytes_billed", "total_slot_ms", "labels", "creation_time", "statement_type"}
OF_SQL = {
    *("select", "as", "count", "round", "sum", "pow", "from", "unnest", "where", "and", "or", "is", "null", "group"),
    *("by", "order", "desc", "timestamp_sub", "current_timestamp", "interval", "day"),
}


def slug(heading: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_shows_of_yaml_and_sql_is_a_file_that_is_tested(page: Path) -> None:
    assert not re.findall(r"```(?:yaml|yml|sql|python).*", GENERATED.sub("", page.read_text("utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    anchors = {f"#{slug(heading)}" for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert target.startswith("https://") or target in anchors or (page.parent / target).exists(), target


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [page for page in PAGES if f"(docs/{page.name})" not in readme] == []


def test_an_input_that_is_named_exists() -> None:
    named = re.findall(r"^\| `([\w-]+)` \| input \|", BIGQUERY, re.MULTILINE)
    assert {"cost-limit", "cost-per-tib"} == set(named) <= {declared.name for declared in INPUTS}
    for name in ("workload-identity-provider", "gcp-credentials", "dbt-env", "retries", "check"):
        assert f"`{name}`" in BIGQUERY
        assert name in {declared.name for declared in INPUTS}


def test_the_labels_are_those_of_the_jobs() -> None:
    context = make_context(workflow_file=".github/workflows/dbt.yml")
    labels = {*job_options(context, "prod", 0, 6.25, Path("jobs.jsonl")).labels, "node"}
    [line] = [line for line in BIGQUERY.splitlines() if line.startswith("Every job has the labels ")]
    assert set(re.findall("`([a-z_]+)`", line)) == labels
    comment = re.search(r"where label\.key = 'node' -- or (.*)", BIGQUERY)
    assert comment is not None
    assert {"node", *comment[1].split(", ")} == labels


def test_the_query_of_costs_asks_for_what_a_job_has() -> None:
    sql = (ROOT / "docs/bigquery/costs.sql").read_text("utf-8")
    bare = re.sub(r"--.*|'[^']*'|`[^`]*`\.INFORMATION_SCHEMA\.JOBS|label\.(?:key|value)", " ", sql)
    names = {*re.findall(r"\b[a-z_]+\b", bare)} - OF_SQL
    made = {*re.findall(r"\bas ([a-z_]+)", sql)}
    assert names - made == OF_A_JOB


def test_the_sentences_of_the_mistakes_are_those_of_a_run() -> None:
    rows = re.findall(r"^\| [^|`]+ \| `([^|]+)` \| (.+) \|$", BIGQUERY, re.MULTILINE)
    assert len(rows) >= 12
    assert len({advice for _, advice in rows}) == len(rows)
    for said, advice in rows:
        assert advice == bigquery_advice(said) != ""


def test_the_roles_are_the_same_on_both_pages() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    roles = {"roles/bigquery.jobUser", "roles/bigquery.dataEditor", "roles/bigquery.dataViewer"}
    assert roles | {"roles/iam.workloadIdentityUser"} == set(re.findall(r"roles/[\w.]+", readme))
    table = re.findall(r"^\| `(roles/[\w.]+)` \|", BIGQUERY, re.MULTILINE)
    assert set(table) == roles | {"roles/iam.workloadIdentityUser"}


def test_the_commands_of_the_federation_are_the_same_on_both_pages() -> None:
    """But for the names, which the README writes in capitals."""
    readme = (ROOT / "README.md").read_text("utf-8")
    for part in (
        "--issuer-uri=https://token.actions.githubusercontent.com",
        "--attribute-mapping=google.subject=assertion.sub,attribute.repository=assertion.repository",
        "/locations/global/workloadIdentityPools/github/attribute.repository/",
        "--attribute-condition=\"assertion.repository == '",
    ):
        assert part in readme
        assert part in BIGQUERY
