"""What the errors of BigQuery and of dbt-bigquery say, word for word, and what a person is told to change.

Where a text was seen stands above it: an issue, a page of Google, the source of the client. ``troubleshoot-queries`` is
https://cloud.google.com/bigquery/docs/troubleshoot-queries, ``PostHog`` are the errors that PostHog's imports met
(https://github.com/PostHog/posthog/pull/63695 and its neighbours), ``quoted`` is word for word in logs, issues or tests
of public repositories. ``By analogy`` nobody was seen to quote it: BigQuery's form of words with another name in it.
"""

import re
import time

import pytest
from headless_dbt.bigquery_advice import RULES, bigquery_advice
from hypothesis import given
from hypothesis import strategies as st

AFTER = "\n\nLocation: EU\nJob ID: c1476d2c-883c-43f7-a5fe-73db195e7bcd\n"

# The text, what its advice names, and a setting, role or command in it.
TEXTS: dict[str, list[str]] = {
    # https://github.com/dbt-labs/dbt-bigquery/issues/19
    "404 Not found: Dataset hello-data-pipeline:staging_benjamin was not found in location EU\n"
    "(job ID: 4020ce42-ec44-438e-8ea0-9f4fe4adcc8c)": [
        "no dataset `staging_benjamin` in location `EU` of project `hello-data-pipeline`",
        "set `location` in profiles.yml",
        "`bq --location=EU mk --dataset hello-data-pipeline:staging_benjamin`",
    ],
    # quoted, in a log of Airflow
    "google.api_core.exceptions.NotFound: 404 POST https://bigquery.googleapis.com/bigquery/v2/projects/"
    "cloud-composer-handson/jobs?prettyPrint=false: Not found: Dataset cloud-composer-handson:handson-dataset": [
        "Project `cloud-composer-handson` has no dataset `handson-dataset`",
        "`bq --location=LOCATION mk --dataset cloud-composer-handson:handson-dataset`",
    ],
    # scripts/headless_dbt/bigquery_check.py
    "Dataset shop-prod:shop_raw is in the location EU, and the profile says US.": [
        "Set `location: EU` in profiles.yml",
    ],
    # https://github.com/dbt-labs/dbt-project-evaluator/issues/224
    "404 Not found: Table inq-warehouse:dbt_project_evaluator_test.dbt_project_evaluator_exceptions was not found in"
    " location US": [
        "no table `dbt_project_evaluator_exceptions` in dataset `dbt_project_evaluator_test`",
        "of project `inq-warehouse`",
        "`identifier` of the source",
    ],
    # https://github.com/janaom/gcp-data-engineering-project-food-orders-etl, its README
    "400 Cannot read and write in different locations: source: US, destination: EU": [
        "in location `US`, and what is made of it in `EU`",
        "set `location` in profiles.yml",
    ],
    # quoted: a location that is empty, and so is a project that is not there
    "400 POST https://bigquery.googleapis.com/bigquery/v2/projects/other/queries?prettyPrint=false: Cannot parse  as"
    " CloudRegion.": ["cannot tell where the job is to run", "Set `location`"],
    # By analogy, with the next one: a number begins with no letter
    "400 POST https://bigquery.googleapis.com/bigquery/v2/projects/348724539390/jobs?prettyPrint=false: Invalid project"
    " ID '348724539390'. Project IDs must contain 6-63 lowercase letters, digits, or dashes. Some project IDs also"
    " include domain name separated by a colon. IDs must start with a letter and may not end with a dash.": [
        "`348724539390` is the number of a project",
        "`gcloud projects describe 348724539390 --format='value(projectId)'`",
    ],
    # quoted, in the README of a pipeline
    "google.api_core.exceptions.BadRequest: 400 POST https://bigquery.googleapis.com/bigquery/v2/projects/"
    "set%20me%20up/jobs?prettyPrint=false: Invalid project ID 'set me up'. Project IDs must contain 6-63 lowercase"
    " letters, digits, or dashes. Some project IDs also include domain name separated by a colon. IDs must start with a"
    " letter and may not end with a dash.": ["not written as an id", "GOOGLE_CLOUD_PROJECT", "`gcloud projects list`"],
    # PostHog
    "400 ProjectId must be non-empty": ["No project is set", "`GOOGLE_CLOUD_PROJECT=…` in the input `env`"],
    # quoted, in a test: "404 Not found: Project biom-reporting-s26"
    "404 Not found: Project shop-prdo": ["no project `shop-prdo`", "Correct `project` in profiles.yml"],
    # PostHog
    "403 DELETE https://bigquery.googleapis.com/bigquery/v2/projects/proj/datasets/ds/tables/tbl?prettyPrint=false:"
    " Project #123456789 has been deleted.": ["was deleted", "`gcloud projects undelete 123456789`"],
    # PostHog
    '400 Invalid dataset ID "(default)". Dataset IDs must be alphanumeric (plus underscores and dashes) and must be at'
    " most 1024 characters long.": ["letters, digits and underscores", "Correct `dataset` in profiles.yml"],
    # quoted, in notes on terraform
    "403 BigQuery API has not been used in project 1062705873896 before or it is disabled. Enable it by visiting"
    " https://console.developers.google.com/apis/api/bigquery.googleapis.com/overview?project=1062705873896 then retry."
    " If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.": [
        "BigQuery API is off in project `1062705873896`",
        "`gcloud services enable bigquery.googleapis.com --project=1062705873896`",
    ],
    # By analogy
    "403 BigQuery Storage API has not been used in project 1062705873896 before or it is disabled.": [
        "BigQuery Storage API is off",
        "`gcloud services enable bigquerystorage.googleapis.com --project=1062705873896`",
    ],
    # quoted, in Logflare
    "400 The project web-wtc-1537199112807 has not enabled BigQuery.": [
        "no project `web-wtc-1537199112807`, or BigQuery is off in it",
        "`database` of the source",
    ],
    # quoted, in BigQueryDatabaseHandlerTest.kt
    "403 Billing has not been enabled for this project. Enable billing at https://console.cloud.google.com/billing. DML"
    " queries are not allowed in the free tier. Set up a billing account to remove this restriction.": [
        "no billing account",
        "sandbox",
        "`gcloud billing projects link PROJECT --billing-account=BILLING-ACCOUNT`",
    ],
    # quoted; `absent` where there is no account any more
    "403 The billing account for the owning project is disabled in state closed": ["is `closed`", "Open it again"],
    # quoted, of Cloud Scheduler; every service says it so
    "403 This API method requires billing to be enabled. Please enable billing on project #orbit-507316 by visiting"
    " https://console.developers.google.com/billing/enable?project=orbit-507316 then retry.": [
        "Project `orbit-507316` has no billing account that is open",
        "`gcloud billing projects link orbit-507316 --billing-account=BILLING-ACCOUNT`",
    ],
    # quoted, in a walkthrough on BigQuery
    "403 POST https://bigquery.googleapis.com/bigquery/v2/projects/bq-walkthrough/jobs?prettyPrint=false: Access"
    " Denied: Project bq-walkthrough: User does not have bigquery.jobs.create permission in project bq-walkthrough."
    + AFTER: [
        "may not run jobs in project `bq-walkthrough`, or there is no such project",
        "`gcloud projects add-iam-policy-binding bq-walkthrough --member=serviceAccount:ACCOUNT",
        "--role=roles/bigquery.jobUser`",
    ],
    # quoted, in tests of a BigQueryDestination
    "Access Denied: Project fake: User does not have bigquery.datasets.create permission in project fake.": [
        "may not make datasets in project `fake`",
        "`roles/bigquery.user` on the project",
    ],
    # PostHog
    "403 Access Denied: Connection projects/proj/locations/us/connections/conn: User does not have"
    " bigquery.connections.use permission for connection projects/proj/locations/us/connections/conn.": [
        "the connection `projects/proj/locations/us/connections/conn`",
        "roles/bigquery.connectionUser",
    ],
    # troubleshoot-queries
    "Access Denied: Reservation projects/project/locations/region/reservations/reservation_name: Permission"
    " bigquery.reservations.use denied on reservation projects/project/locations/region/reservations/reservation_name"
    " (or it may not exist)": [
        "no reservation `projects/project/locations/region/reservations/reservation_name`",
        "`reservation` in profiles.yml",
    ],
    # PostHog
    "403 Access Denied: Table prj:ds.fct__conversions: Permission bigquery.tables.getData denied on table"
    " prj:ds.fct__conversions (or it may not exist).": [
        "may not read `fct__conversions` (`bigquery.tables.getData`)",
        "`roles/bigquery.dataViewer` on dataset `prj:ds`",
    ],
    # troubleshoot-queries
    "Access Denied: Dataset shop-prod:raw_shop: Permission bigquery.datasets.get denied on dataset shop-prod:raw_shop"
    " (or it may not exist).": ["may not see dataset `shop-prod:raw_shop` (`bigquery.datasets.get`)"],
    # quoted
    "403 Access Denied: Table proj:ds.orders: Permission bigquery.tables.updateData denied on table proj:ds.orders (or"
    " it may not exist).": [
        "may not change `orders` (`bigquery.tables.updateData`)",
        "`roles/bigquery.dataEditor` on dataset `proj:ds`",
    ],
    # PostHog
    "403 Access Denied: Dataset prj:ds: Permission bigquery.tables.create denied on dataset prj:ds (or it may not"
    " exist).": [
        "may not make tables in dataset `prj:ds` (`bigquery.tables.create`)",
        "the account `roles/bigquery.dataEditor` on the dataset",
    ],
    # quoted, in a log of bq; the older form of the one before
    "Access Denied: Dataset skytra-benchmark-prod:iata: User does not have bigquery.tables.create permission for"
    " dataset skytra-benchmark-prod:iata.": ["lacks `bigquery.tables.create` on dataset `skytra-benchmark-prod:iata`"],
    # troubleshoot-queries
    "Access Denied: Dataset prj:ds: Permission bigquery.datasets.update denied on dataset prj:ds (or it may not"
    " exist).": ["may not change dataset `prj:ds` itself", "roles/bigquery.dataOwner"],
    # quoted; the end of the sentence is from troubleshoot-queries
    "Access Denied: Table moz-fx-data-shared-prod:contextual_services_live.quicksuggest_click_v1: User does not have"
    " permission to query table moz-fx-data-shared-prod:contextual_services_live.quicksuggest_click_v1, or perhaps it"
    " does not exist.": [
        "may not query table `quicksuggest_click_v1`",
        "`roles/bigquery.dataViewer` on dataset `moz-fx-data-shared-prod:contextual_services_live`",
    ],
    # PostHog
    "403 request failed: the user does not have 'bigquery.readsessions.create' permission for"
    " 'projects/some-project'": ["`roles/bigquery.readSessionUser` on project `some-project`"],
    # troubleshoot-queries
    "Access Denied: BigQuery BigQuery: User does not have permission to access data protected by policy tag": [
        "protected by a policy tag",
        "roles/datacatalog.categoryFineGrainedReader",
    ],
    # quoted, of Identity Toolkit; every service says it so
    "403 Caller does not have required permission to use project geosearch-fq4i9. Grant the caller the"
    " roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use permission": [
        "charge its requests to project `geosearch-fq4i9`",
        "Leave out `quota_project`",
    ],
    # https://github.com/googleapis/google-auth-library-python/issues/1204
    "403 Access Denied: BigQuery BigQuery: Permission denied while getting Drive credentials.": [
        "Google Sheet",
        "Share the file with the account's address",
    ],
    # quoted, in tests of Google's clients
    "403 Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: 1A2B3C4D-5E6F": [
        "VPC Service Controls",
        "ingress rule",
    ],
    # https://github.com/exmergo/dex/issues/320
    "500 Query exceeded limit for bytes billed: 163595928. 164626432 or higher required.; reason:"
    " bytesBilledLimitExceeded": ["`maximum_bytes_billed` in profiles.yml is `163595928`", "needs `164626432`"],
    # dbt/adapters/bigquery/connections.py, _query_and_results
    "Operation did not complete within the designated timeout of 300 seconds.": [
        "`job_execution_timeout_seconds`, which is `300`",
        "of a Python model it is `timeout`",
    ],
    # quoted, in tests of pandas-gbq: the `job_timeout_ms` that dbt-bigquery sets
    "499 Job execution was cancelled: Job timed out after 2 sec": [
        "BigQuery ended the job at its time limit",
        "`job_execution_timeout_seconds`",
    ],
    # quoted
    "400 Operation timed out after 6.0 hours. Consider reducing the amount of work performed by your operation so that"
    " it can complete within this limit.": ["longer than six hours"],
    # https://cloud.google.com/bigquery/docs/custom-quotas
    "403 Custom quota exceeded: Your usage exceeded the custom quota for QueryUsagePerDay, which is set by your"
    " administrator. For more information, see https://cloud.google.com/bigquery/cost-controls": [
        "The project has used up",
        "`QueryUsagePerDay`",
    ],
    # The same page
    "Custom quota exceeded: Your usage exceeded the custom quota for QueryUsagePerUserPerDay, which is set by your"
    " administrator. For more information, see https://cloud.google.com/bigquery/cost-controls": [
        "The account has used up",
        "`QueryUsagePerUserPerDay`",
    ],
    # quoted; https://cloud.google.com/bigquery/docs/troubleshoot-quotas
    "403 Quota exceeded: Your project exceeded quota for free query bytes scanned. For more information, see"
    " https://cloud.google.com/bigquery/docs/troubleshoot-quotas": ["free bytes are used up", "billing account"],
    # https://cloud.google.com/bigquery/docs/troubleshoot-quotas
    "403 Quota exceeded: Your table exceeded quota for total number of dml jobs writing to a table, pending +"
    " running.": ["One table was changed too often"],
    # PostHog
    "403 Quota exceeded: Your project_and_region exceeded quota for max number of jobs that can be queued per project."
    " For more information, see https://cloud.google.com/bigquery/docs/troubleshoot-quotas": ["Lower `threads`"],
    # troubleshoot-queries
    "Cannot run query: project does not have the reservation in the data region or no slots are configured": [
        "a reservation that has no slots",
    ],
}
SENTENCES = {text: bigquery_advice(text) for text in TEXTS}

# What has no advice: SQL that is wrong, data that does not fit, what passes by itself, and words that only look alike.
NOTHING = [
    "",
    "400 Syntax error: Expected end of input but got keyword SELECT at [7:1]",
    "Unrecognized name: amount; Did you mean amounts? at [3:8]",
    "Bad int64 value: abc",
    "Got 3 results, configured to fail if != 0",
    "404 Not found: Job proj:US.job_abc123",
    "503 The service is currently unavailable.",
    "500 An internal error occurred and the request could not be completed.",
    "Syntax error: At 'Access Denied: Project p: User does not have bigquery.jobs.create permission in project p'",
    "Could not cast literal 'Query exceeded limit for bytes billed: 1. 2 or higher required.' to type DATE",
    "The model says: it is Not found: Dataset a:b was not found in location US",
    "403 Access Denied: Table my-project:my_dataset.t",
    "Quota exceeded: Your project exceeded quota for concurrent flights of fancy",
]


@pytest.mark.parametrize(("text", "parts"), TEXTS.items())
@pytest.mark.parametrize(
    "frame",
    [
        # What dbt, google-api-core and Python put around it.
        "{}",
        "Database Error in model orders (models/orders.sql)\n  {}\n  compiled code at target/run/models/orders.sql",
        "Runtime Error\n  {}",
        "dbt build could not begin: Database Error\n  {}",
        "Timeout of 600.0s exceeded, last exception: {}",
    ],
)
def test_a_real_text_has_advice_that_names_what_it_is_about(text: str, parts: list[str], frame: str) -> None:
    advice = bigquery_advice(frame.format(text.replace("\n", "\n  ") if "\n  " in frame else text))
    assert advice == SENTENCES[text]
    for part in parts:
        assert part in advice


def test_each_has_a_sentence_of_its_own() -> None:
    assert len(set(SENTENCES.values())) == len(TEXTS) == len(RULES)


@pytest.mark.parametrize("advice", SENTENCES.values())
def test_advice_is_short_and_written_out(advice: str) -> None:
    assert len(advice) < 450
    assert advice.isprintable()
    assert advice.endswith(".")
    assert advice.count("`") % 2 == 0
    assert not re.search(r"[{}]", advice)


@pytest.mark.parametrize("text", NOTHING)
def test_where_nothing_is_certain_nothing_is_said(text: str) -> None:
    assert bigquery_advice(text) == ""
    assert bigquery_advice(f"Database Error in model orders (models/orders.sql)\n  {text}") == ""


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_the_request_that_stands_before_an_error_is_not_the_error(method: str) -> None:
    url = f"403 {method} https://bigquery.googleapis.com/bigquery/v2/projects/p-1/datasets/d?prettyPrint=false: "
    assert "roles/bigquery.dataViewer" in bigquery_advice(
        url + "Access Denied: Dataset p-1:d: Permission bigquery.datasets.get denied on dataset p-1:d"
    )


@pytest.mark.parametrize(
    "project",
    ["$(id)", "`id`", "a;id", "a b", "a|b", "--project", "../x", "<img src=x>", "@octocat", "a\u202eb", "ä", "x" * 300],
)
def test_a_name_with_signs_of_its_own_is_left_out(project: str) -> None:
    for text in (
        f"Not found: Dataset {project}:d was not found in location US",
        f"Access Denied: Project {project}: User does not have bigquery.jobs.create permission in project {project}.",
        f"The project {project} has not enabled BigQuery",
    ):
        for command in re.findall("`([^`]*)`", bigquery_advice(text)):
            assert project not in re.split("[ :]", command)
            assert not re.search(r"[$;|<>\\\n]", command)
            assert command.isascii()


@pytest.mark.parametrize("permission", ["tables.getData", "tables.get", "tables.list", "datasets.get", "routines.get"])
def test_what_reads_needs_the_viewer(permission: str) -> None:
    denied = (
        f"Access Denied: Dataset p:d: Permission bigquery.{permission} denied on dataset p:d (or it may not exist)."
    )
    assert "`roles/bigquery.dataViewer`" in bigquery_advice(denied)


@pytest.mark.parametrize("permission", ["tables.create", "tables.update", "tables.delete", "routines.create"])
def test_what_writes_needs_the_editor(permission: str) -> None:
    denied = (
        f"Access Denied: Dataset p:d: Permission bigquery.{permission} denied on dataset p:d (or it may not exist)."
    )
    assert "`roles/bigquery.dataEditor`" in bigquery_advice(denied)


def test_a_project_of_a_domain_is_named_whole() -> None:
    text = "Not found: Dataset example.com:shop:mart was not found in location europe-west1"
    assert "dataset `mart` in location `europe-west1` of project `example.com:shop`" in bigquery_advice(text)


def test_signing_in_is_advised_on_too() -> None:
    assert "gcp-credentials" in bigquery_advice("('invalid_grant: Invalid JWT Signature.', {'error': 'invalid_grant'})")


WORDS = sorted({word for text in TEXTS for word in text.split(" ")})


@given(st.lists(st.sampled_from(WORDS) | st.sampled_from(list(TEXTS)) | st.text()).map(" ".join))
def test_any_text_has_one_line_of_advice_or_none(message: str) -> None:
    advice = bigquery_advice(message)
    assert not advice or advice.isprintable()
    assert len(advice) < 1200


@pytest.mark.parametrize(
    "piece",
    [
        *("x", "1", " ", "\n", "\n ", "'", ":", ".", "a.", "a:", "403 ", "GET https://x: ", "GET https://x"),
        *("Access Denied: ", "\nAccess Denied: ", "\nAccess Denied: x Permission ", "\nNot found: Dataset ", "Error: "),
        *("\nNot found: Table a:b.", "\nNot found: Dataset a:", "\nInvalid resource name projects/", "\n(", "dbt a: "),
        *("\nUnable to acquire impersonated credentials", "\nFailed to retrieve x", "Permission \\'", "error:\n"),
        *("Failed to authenticate with supplied credentials\n", "\nAccess Denied: User does not have "),
        *("\nAccess Denied: Permission bigquery.tables.get denied on table ", "last exception: ", "\u2028", "\x00"),
    ],
)
def test_a_long_text_takes_no_longer_than_its_length(piece: str) -> None:
    message = (piece * 100_000)[:100_000]
    began = time.process_time()
    bigquery_advice(message)
    assert time.process_time() - began < 2
