"""What to change, told by the text of an error of BigQuery, of Google's client or of dbt-bigquery. Pure.

A rule is the words that begin a line of the message, and what is to be done; the first that fits decides. Where each
text was seen stands beside it in the tests. What is not certain is left out: most errors have no advice, and SQL that
is wrong has none.
"""

from headless_dbt.sign_in_advice import OFF, SIGN_IN, START, Rule, advise

_PROJECT = r"(?P<project>[\w.:-]{0,99}[\w-])"
_DATASET = _PROJECT + r"[:.](?P<dataset>[\w-]{1,1024})"
_TABLE = _DATASET + r"\.(?P<table>[^\s,;]{1,1024}?)"
_IN_LOCATION = r" was not found in location (?P<location>[\w-]{1,50})"
_DENIED = r"Access Denied: [^\n]{1,2000}?Permission (?P<permission>bigquery\.%s) denied on %s"
_LACKING = r"Access Denied: [^\n]{1,2000}?User does not have %s permission (?:in|for) %s"
_READING = (
    r"(?:tables\.(?:getData|get|list|export)|datasets\.get|routines\.(?:get|list)|models\.(?:getData|getMetadata))"
)
_WRITING = r"(?:(?:tables|routines|models)\.(?:create|update|updateData|delete)\w{0,20}|models\.updateMetadata)"

RULES = (
    # Where things are; what is said of the profile is of bigquery_check.py.
    Rule(
        START + r"Not found: Dataset " + _DATASET + _IN_LOCATION,
        "There is no dataset `{dataset}` in location `{location}` of project `{project}`. If it is in another location,"
        " set `location` in profiles.yml to that (`bq show {project}:{dataset}` tells it); if it is missing, make it:"
        " `bq --location={location} mk --dataset {project}:{dataset}`.",
    ),
    Rule(
        START + r"Not found: Dataset " + _DATASET,
        "Project `{project}` has no dataset `{dataset}`. Make it: `bq --location=LOCATION mk --dataset"
        " {project}:{dataset}`; or correct `dataset` in profiles.yml, or the `schema` of the model or source.",
    ),
    Rule(
        START + r"Not found: Table " + _TABLE + _IN_LOCATION,
        "There is no table `{table}` in dataset `{dataset}` of project `{project}`, looked for in location"
        " `{location}`. Correct `database`, `schema` or `identifier` of the source, or build first what dbt makes"
        " itself.",
    ),
    Rule(
        START + r"Cannot read and write in different locations: source: (?P<source>[\w-]{1,50}),"
        r" destination: (?P<location>[\w-]{1,50})",
        "The data is in location `{source}`, and what is made of it in `{location}`; BigQuery does not write across."
        " Make the dataset in `{source}`, and set `location` in profiles.yml to it.",
    ),
    Rule(
        START + r"Cannot parse  ?as CloudRegion",
        "BigQuery cannot tell where the job is to run. Set `location` in profiles.yml to the location of your datasets,"
        " and check `project`.",
    ),
    # Projects.
    Rule(
        START + r"Invalid project ID '(?P<number>\d{6,20})'",
        "`{number}` is the number of a project, and BigQuery wants its id. Set `project` in profiles.yml to what"
        " `gcloud projects describe {number} --format='value(projectId)'` prints.",
    ),
    Rule(
        START + r"(?:Invalid project ID ['\"](?P<project>[^'\"\n]{0,200})['\"]"
        r"|Invalid resource name projects/[^\n]{1,300}?; Project id: (?P<other>[^\s;]{1,200}))",
        "The project is not written as an id. Set `project` in profiles.yml (or `GOOGLE_CLOUD_PROJECT`, if it is read"
        " from there) to the id, not the name: `gcloud projects list` shows it.",
    ),
    Rule(
        START + r"(?:ProjectId must be non-empty|Project was not passed and could not be determined)",
        "No project is set. Set `project` in profiles.yml, or `GOOGLE_CLOUD_PROJECT=…` in the input `env`.",
    ),
    Rule(
        START + r"Not found: Project " + _PROJECT,
        "There is no project `{project}`. Correct `project` in profiles.yml, or the `database` of the source:"
        " `gcloud projects list` shows the ids.",
    ),
    Rule(
        START + r"Project #?(?P<number>\d{6,20}) has been deleted",
        "Project `{number}` was deleted. Set `project` in profiles.yml to another; within 30 days"
        " `gcloud projects undelete {number}` brings it back.",
    ),
    Rule(
        START + r"Invalid dataset ID \"(?P<dataset>[^\"\n]{0,1100})\"",
        "A name of a dataset may hold letters, digits and underscores alone. Correct `dataset` in profiles.yml, or the"
        " `schema` of the model or source.",
    ),
    # What has to be on.
    Rule(
        START + OFF % "BigQuery",
        "The BigQuery API is off in project `{project}`. Turn it on, and wait a minute:"
        " `gcloud services enable bigquery.googleapis.com --project={project}`.",
    ),
    Rule(
        START + OFF % "BigQuery Storage",
        "The BigQuery Storage API is off in project `{project}`. Turn it on, and wait a minute:"
        " `gcloud services enable bigquerystorage.googleapis.com --project={project}`.",
    ),
    Rule(
        START + r"The project " + _PROJECT + r" has not enabled BigQuery",
        "There is no project `{project}`, or BigQuery is off in it. Correct `project` in profiles.yml or the `database`"
        " of the source, or run `gcloud services enable bigquery.googleapis.com --project={project}`.",
    ),
    Rule(
        START + r"(?:Access Denied: BigQuery BigQuery: )?Billing has not been enabled for this project",
        "The project has no billing account, and without one BigQuery is a sandbox that refuses what dbt needs. Link"
        " one: `gcloud billing projects link PROJECT --billing-account=BILLING-ACCOUNT`.",
    ),
    Rule(
        START + r"The billing account for the owning project is disabled in state (?P<state>\w{1,30})",
        "The billing account of the project is `{state}`. Open it again, or link another one:"
        " `gcloud billing projects link PROJECT --billing-account=BILLING-ACCOUNT`.",
    ),
    Rule(
        START + r"This API method requires billing to be enabled\. Please enable billing on project #?" + _PROJECT,
        "Project `{project}` has no billing account that is open. Link one:"
        " `gcloud billing projects link {project} --billing-account=BILLING-ACCOUNT`.",
    ),
    # Roles.
    Rule(
        START + _LACKING % (r"bigquery\.jobs\.create", "project " + _PROJECT),
        "The account may not run jobs in project `{project}`, or there is no such project. Check `project` in"
        " profiles.yml, and grant the role: `gcloud projects add-iam-policy-binding {project}"
        " --member=serviceAccount:ACCOUNT --role=roles/bigquery.jobUser`.",
    ),
    Rule(
        START + _LACKING % (r"bigquery\.datasets\.create", "project " + _PROJECT),
        "The account may not make datasets in project `{project}`. Make the dataset yourself, and give the account"
        " `roles/bigquery.dataEditor` on it; or let dbt make datasets, with `roles/bigquery.user` on the project.",
    ),
    Rule(
        START + _LACKING % (r"(?P<permission>bigquery\.connections\.use)", r"connection (?P<name>[\w./-]{1,300}\w)"),
        "The account may not use the connection `{name}`. Give it `roles/bigquery.connectionUser` on the connection.",
    ),
    Rule(
        START + r"Access Denied: Reservation [^\n]{1,1000}?Permission bigquery\.reservations\.use denied on reservation"
        r" (?P<name>[\w./-]{1,300})",
        "There is no reservation `{name}`, or the account may not use it. Correct `reservation` in profiles.yml or in"
        " the model, or give the account `roles/bigquery.resourceEditor` on the reservation.",
    ),
    Rule(
        START + _DENIED % (_READING, r"(?:table|view|routine|model) " + _TABLE + r"(?= |\.?$)"),
        "The account may not read `{table}` (`{permission}`), or it does not exist. Give the account"
        " `roles/bigquery.dataViewer` on dataset `{project}:{dataset}`.",
    ),
    Rule(
        START + _DENIED % (_READING, r"dataset " + _DATASET),
        "The account may not see dataset `{project}:{dataset}` (`{permission}`), or it does not exist. Give the account"
        " `roles/bigquery.dataViewer` on it, or `roles/bigquery.dataEditor` where dbt writes.",
    ),
    Rule(
        START + _DENIED % (_WRITING, r"(?:table|view|routine|model) " + _TABLE + r"(?= |\.?$)"),
        "The account may not change `{table}` (`{permission}`), or it does not exist. Give the account"
        " `roles/bigquery.dataEditor` on dataset `{project}:{dataset}`.",
    ),
    Rule(
        START + _DENIED % (_WRITING, r"dataset " + _DATASET),
        "The account may not make tables in dataset `{project}:{dataset}` (`{permission}`), or it does not exist. Give"
        " the account `roles/bigquery.dataEditor` on the dataset.",
    ),
    Rule(
        START + _LACKING % (r"bigquery\.tables\.create", "dataset " + _DATASET),
        "The account lacks `bigquery.tables.create` on dataset `{project}:{dataset}`. Give it"
        " `roles/bigquery.dataEditor` on the dataset.",
    ),
    Rule(
        START + _DENIED % (r"datasets\.(?:update|delete|setIamPolicy)", r"dataset " + _DATASET),
        "The account may not change dataset `{project}:{dataset}` itself (`{permission}`), or it does not exist. Give"
        " the account `roles/bigquery.dataOwner` on it: dbt needs that for authorized views and for the dataset's own"
        " settings.",
    ),
    Rule(
        START
        + r"(?:Access Denied: [^\n]{1,2000}?)?User does not have permission to query table "
        + _TABLE
        + r"(?=, or perhaps|\.?$| or perhaps)",
        "The account may not query table `{table}`, or it does not exist in this location. Give the account"
        " `roles/bigquery.dataViewer` on dataset `{project}:{dataset}`, and check the table's name.",
    ),
    Rule(
        START + r"(?:request failed: )?the user does not have 'bigquery\.readsessions\.\w{1,20}' permission for"
        r" '(?:projects/(?P<project>[\w.:-]{1,100}))?",
        "The account may not read through the BigQuery Storage API. Give it `roles/bigquery.readSessionUser` on"
        " project `{project}`.",
    ),
    Rule(
        START + r"(?:Access [Dd]enied: (?:BigQuery BigQuery: )?)?User does not have permission to access"
        r" (?:data protected by )?policy tag",
        "A column is protected by a policy tag. Give the account `roles/datacatalog.categoryFineGrainedReader` on the"
        " tag, or leave the column out.",
    ),
    Rule(
        START + r"Caller does not have required permission to use project " + _PROJECT,
        "The account may not charge its requests to project `{project}`. Leave out `quota_project`, or give the account"
        " `roles/serviceusage.serviceUsageConsumer` on the project.",
    ),
    Rule(
        START + r"Access Denied: BigQuery BigQuery: Permission denied while getting Drive credentials",
        "A table is a Google Sheet or a file on Drive, and the account may not open that. Share the file with the"
        " account's address, and keep `https://www.googleapis.com/auth/drive` in `scopes` where profiles.yml has them.",
    ),
    Rule(
        START + r"(?:VPC Service Controls: )?Request is prohibited by organization's policy",
        "VPC Service Controls keep the run out: the runner is outside of the perimeter around the data. Let whoever"
        " runs the perimeter admit the account by an ingress rule, or use a runner inside.",
    ),
    # Limits that somebody set.
    Rule(
        START + r"Query exceeded limit for bytes billed: (?P<limit>\d{1,20})\. (?P<needed>\d{1,20}) or higher required",
        "`maximum_bytes_billed` in profiles.yml is `{limit}`, and this query needs `{needed}`. Let it read less, or"
        " raise the setting.",
    ),
    Rule(
        START + r"(?:The dbt operation encountered a timeout: )?"
        r"Operation did not complete within the designated timeout of (?P<seconds>[\d.]{1,20}) ?seconds",
        "The job ran into `job_execution_timeout_seconds`, which is `{seconds}`. Raise it in profiles.yml or in the"
        " config of the model (of a Python model it is `timeout`), or let the model do less.",
    ),
    Rule(
        START + r"(?:Job execution was cancelled: )?Job timed out(?: after (?P<seconds>\d{1,9}) ?s)?",
        "BigQuery ended the job at its time limit, which dbt takes from `job_execution_timeout_seconds`. Raise it in"
        " profiles.yml or in the config of the model, or let the model do less.",
    ),
    Rule(
        START + r"(?:Operation timed out after 6\.0 hours|Query fails due to reaching the execution time limit)",
        "BigQuery lets no query run longer than six hours. Let the model do less at a time: an incremental model, or"
        " several.",
    ),
    Rule(
        START + r"Custom quota exceeded: Your usage exceeded the custom quota for QueryUsagePerDay",
        "The project has used up the bytes a day that its administrator allows (the custom quota `QueryUsagePerDay`)."
        " It begins anew at midnight Pacific time, or is raised under Quotas in the console.",
    ),
    Rule(
        START + r"Custom quota exceeded: Your usage exceeded the custom quota for QueryUsagePerUserPerDay",
        "The account has used up the bytes a day that an administrator allows it (the custom quota"
        " `QueryUsagePerUserPerDay`). It begins anew at midnight Pacific time, or is raised under Quotas.",
    ),
    Rule(
        START + r"Quota exceeded: Your project exceeded quota for free query bytes scanned",
        "The month's free bytes are used up. Link a billing account:"
        " `gcloud billing projects link PROJECT --billing-account=BILLING-ACCOUNT`.",
    ),
    Rule(
        START + r"Quota exceeded: Your table exceeded quota for",
        "One table was changed too often for BigQuery. Let fewer runs and fewer statements write to it, and more rows"
        " at once.",
    ),
    Rule(
        START + r"Quota exceeded: Your project(?:_and_region)? exceeded quota for (?:concurrent queries|max number of"
        r" jobs that can be queued)",
        "More jobs ran at once than the project may. Lower `threads` in profiles.yml or by the input `threads`, or run"
        " at another hour.",
    ),
    Rule(
        START + r"Cannot run query: project does not have the reservation in the data region or no slots are"
        r" configured",
        "The project is assigned to a reservation that has no slots where the data is. Add slots to it, let it use idle"
        " ones, or remove the assignment to pay by the query.",
    ),
)


def bigquery_advice(message: str) -> str:
    """What is wrong and what to change, in a sentence or two on one line; empty where nothing is certain."""
    return advise((*RULES, *SIGN_IN), message)
