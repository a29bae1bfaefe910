"""The inputs: names, defaults, meanings, and which verb reads them. Pure.

One declaration serves the command line, the environment, and the contract tests that hold ``action.yml``,
``dbt-build.yml`` and the README to it. A flag wins over the environment; an empty text means the default.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from headless_dbt.parsing import (
    adapter,
    artifact_name,
    assignments,
    boolean,
    comma_separated,
    dbt_version,
    folder,
    labels,
    mapping,
    natural,
    one_line,
    one_of,
    one_word,
    positive,
    python_request,
    quantity,
    secret_text,
    selection,
    version,
    words,
)

# What `schedule` may say.
DBT, CRITICAL_PATH = "dbt", "critical-path"
# What `resume-from` may say beside the id of a run.
LATEST, NONE = "latest", "none"
ENVIRONMENT_PREFIX = "HEADLESS_DBT_"


@dataclass(frozen=True)
class Input:
    """One input: ``parse(name, given)`` turns its text into a value or raises RequestError."""

    name: str
    default: str
    meaning: str
    parse: Callable[[str, str], Any]
    verbs: frozenset[str]
    secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that carries it."""
        return ENVIRONMENT_PREFIX + self.name.upper().replace("-", "_")

    @property
    def attribute(self) -> str:
        """Its name in Python."""
        return self.name.replace("-", "_")

    def given(self, flags: Mapping[str, str | None], environment: Mapping[str, str]) -> str:
        """The text that counts: the flag, else the environment variable, else the default."""
        flag = flags.get(self.attribute)
        text = environment.get(self.variable, "") if flag is None else flag
        # Bytes that are no UTF-8 come as halves of characters, which no file could hold.
        return text.encode("utf-8", "backslashreplace").decode().strip() or self.default


_RUN = frozenset({"run"})
_FETCH = frozenset({"run", "fetch"})
_REPORT = frozenset({"run", "report"})
_INCIDENT = frozenset({"run", "incident"})
_ALL = frozenset({"run", "recall", "report", "incident"})

INPUTS = (
    Input("project-dir", ".", "Folder of dbt_project.yml, from the root of the repository.", folder, _ALL),
    Input("profiles-dir", "", "Folder of profiles.yml. Default: the project-dir.", folder, _RUN),
    Input("target", "prod", "dbt target.", one_word, _RUN),
    Input("select", "", "Nodes to build, as dbt's --select.", selection, _RUN),
    Input("exclude", "", "Nodes to leave out, as dbt's --exclude.", selection, _RUN),
    Input("selector", "", "Name of a selector in selectors.yml, as dbt's --selector.", one_word, _RUN),
    Input("vars", "", "dbt variables: a YAML or JSON mapping.", mapping, _RUN),
    Input("full-refresh", "false", "Rebuild incremental models from nothing, as dbt's --full-refresh.", boolean, _RUN),
    Input("fail-fast", "false", "Stop at the first failure, as dbt's --fail-fast.", boolean, _RUN),
    Input("threads", "", "Number of threads; the profile's is the most, and the default.", positive, _RUN),
    Input("dbt-args", "", "Further arguments of dbt build, split as a shell would, never run by one.", words, _RUN),
    Input("adapter", "bigquery", "dbt adapter: bigquery, duckdb, or any adapter package's short name.", adapter, _RUN),
    Input(
        "dbt-version",
        "",
        "Version of dbt: 1.11.16, or 1.11 for that line's newest; 2.… is the Rust engine. Default: the lock's.",
        dbt_version,
        _RUN,
    ),
    Input(
        "adapter-version",
        "",
        "Version of the adapter, likewise; dbt 2 has its own. Default: the lock's.",
        version,
        _RUN,
    ),
    Input(
        "requirements",
        "",
        "Your own pinned requirements file for the dbt environment, from the root of the repository.",
        folder,
        _RUN,
    ),
    Input(
        "python-version",
        "",
        "Python of both environments, from 3.11: 3.12, for example. Default: the runner's python3.",
        python_request,
        _RUN,
    ),
    Input("source-freshness", "false", "Check the freshness of sources before the build.", boolean, _RUN),
    Input("docs", "false", "Generate the docs site, one static page, after the build.", boolean, _RUN),
    Input("retries", "2", "Further attempts when every failure's cause is transient.", natural, _RUN),
    Input("retry-delay", "30", "Seconds before the first of them; doubles, with jitter.", quantity, _RUN),
    Input(
        "resume-from",
        "",
        "Earlier run to continue: a run id, or latest; what passed in it is not built again. "
        "Default: in a re-run the attempt before; none turns that off.",
        folder,
        _FETCH,
    ),
    Input(
        "schedule",
        DBT,
        "Order of nodes that are ready: dbt's own, or critical-path, the longest way to the end first, "
        "by the times of the last run.",
        one_of(DBT, CRITICAL_PATH),
        _FETCH,
    ),
    Input("time-limit", "0", "Minutes for the whole of dbt; 0 is none.", quantity, _RUN),
    Input("issue", "true", "Open, update and close the failure issue.", boolean, _INCIDENT),
    Input(
        "issue-labels",
        "dbt-failure",
        "Labels of the issue, comma-separated; created when missing.",
        labels,
        _INCIDENT,
    ),
    Input("issue-assignees", "", "Logins to assign the issue to, comma-separated.", comma_separated, _INCIDENT),
    Input(
        "issue-on",
        "failure",
        "What opens an issue: failure, or warn for warnings too.",
        one_of("failure", "warn"),
        _INCIDENT,
    ),
    Input(
        "issue-per",
        "pipeline",
        "One issue per pipeline, or one per owner of what broke.",
        one_of("pipeline", "owner"),
        _INCIDENT,
    ),
    Input(
        "issue-key",
        "",
        "Tells pipelines apart that have the same workflow file, target and project-dir.",
        one_line,
        _INCIDENT,
    ),
    Input(
        "artifact-name",
        "dbt-artifacts",
        "Name of the uploaded artifact; a suffix keeps it unique, see the output artifact-name.",
        artifact_name,
        _REPORT | _FETCH | {"recall"},
    ),
    Input(
        "artifact-retention-days",
        "",
        "Days to keep the artifact. Default: the repository's setting.",
        positive,
        _REPORT,
    ),
    Input(
        "cost-per-tib",
        "6.25",
        "US dollars per TiB billed, to show what BigQuery's queries cost on demand; 0 shows no cost. "
        "Default: Google's list price for the US since July 2023.",
        quantity,
        _REPORT,
    ),
    Input(
        "cost-limit",
        "0",
        "US dollars that BigQuery's queries may cost, at cost-per-tib, before no further node is begun; 0 is none.",
        quantity,
        _RUN,
    ),
    Input(
        "cache",
        "true",
        "Keep the installer, dbt's bytecode and its last parse in GitHub's cache from run to run.",
        boolean,
        _RUN,
    ),
    Input(
        "check",
        "false",
        "Try the project, the credentials and the warehouse, and build nothing.",
        boolean,
        _RUN,
    ),
    Input("env", "", "Lines of KEY=value for env_var(). Not for secrets.", assignments, _RUN),
    Input("dbt-env", "", "Lines of KEY=value for env_var() that are secret.", assignments, _RUN, secret=True),
    Input(
        "gcp-credentials",
        "",
        "A Google service account key: the JSON, or base64 of it. Last resort.",
        secret_text,
        _RUN,
        secret=True,
    ),
    Input(
        "workload-identity-provider",
        "",
        "Google workload identity provider: projects/…/providers/… . BigQuery without a key.",
        one_word,
        _RUN,
    ),
    Input("service-account", "", "Google service account to impersonate with it.", one_word, _RUN),
    Input(
        "github-token",
        "",
        "Token that files the issue and fetches an earlier run. Default: the job's own.",
        secret_text,
        frozenset({"incident", "fetch", "recall"}),
        secret=True,
    ),
)
# What a request of an older version meant by what it did not know.
DEFAULTS = {declared.name: declared.default for declared in INPUTS}
