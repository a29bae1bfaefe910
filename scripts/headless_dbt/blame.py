"""Whose fault it is: what an exception of dbt means, by the command that raised it. Pure.

What fails in ``parse`` is the project; in ``list``, after a good parse, the selection; in ``build`` before any node,
the connection; after that, dbt itself.
"""

import re
from collections.abc import Callable

from headless_dbt.errors import CostLimitError, DbtUnusableError, HeadlessDbtError, RequestError
from headless_dbt.job_options import TIB
from headless_dbt.parsing import shown
from headless_dbt.session_protocol import SessionException
from headless_dbt.settings import RunSettings

# What an exception means, once it is known which command raised it.
Blame = Callable[[SessionException], HeadlessDbtError]


class BuildEndedError(HeadlessDbtError):
    """dbt broke off after some nodes had run."""

    exit_code = 1
    title = "dbt broke off"


def build_error(settings: RunSettings, problem: SessionException, *, begun: bool) -> HeadlessDbtError:
    """What fails in `dbt build`: its arguments, the connection, or, when nodes had ``begun``, dbt on its way."""
    if problem.type == "DbtUsageException":
        return _usage_error(settings, problem)
    if begun:
        return BuildEndedError(f"dbt build ended early: {problem.message}")
    return DbtUnusableError(f"dbt build could not begin: {problem.message}")


def cost_limit_error(settings: RunSettings, bytes_billed: int) -> CostLimitError:
    """What ends a run whose queries have cost more than they may."""
    usd = bytes_billed / TIB * settings.cost_per_tib
    return CostLimitError(
        f"Queries for ${usd:.2f} at ${settings.cost_per_tib:g} per TiB were run, and `cost-limit` is "
        f"${settings.cost_limit:g}. What had begun was finished, the rest was left out. Raise the limit, or build less."
    )


def dbt_unusable(doing: str) -> Blame:
    """What fails here is dbt's own doing."""
    return lambda problem: DbtUnusableError(f"{doing} failed: {problem.message}")


def parse_error(settings: RunSettings, problem: SessionException) -> HeadlessDbtError:
    """What fails in `dbt parse` is the project, or what was asked of it."""
    if (targets := _targets_of_profile(problem)) is not None:
        return RequestError(
            "target",
            given=f"{shown(settings.target)}, which is not in profiles.yml",
            allowed=targets or "a target of the profile",
            advice="Correct the input `target`, or add the target to profiles.yml.",
        )
    if problem.type == "DbtUsageException":
        return _usage_error(settings, problem)
    # As dbt-core and dbt 2 word it.
    if "Could not find profile named" in problem.message or "not found in profiles.yml" in problem.message:
        return RequestError(
            "profiles-dir",
            given=f"{str(settings.profiles_dir)!r}, and dbt says: {problem.message}",
            allowed="a folder whose profiles.yml has the profile that dbt_project.yml names",
            advice="Correct `profile:` in dbt_project.yml, or profiles.yml.",
        )
    if "Could not find adapter type" in problem.message and settings.requirements is not None:
        return RequestError(
            "requirements",
            given=f"{str(settings.requirements)!r}, which lacks the adapter: {problem.message}",
            allowed="a file that names dbt-core and the adapter of the profile",
            advice="Add dbt-TYPE==VERSION, with the `type:` in profiles.yml.",
        )
    if "Could not find adapter type" in problem.message:
        return RequestError(
            "adapter",
            given=f"{shown(settings.adapter)}, but the profile needs another one: {problem.message}",
            allowed="the adapter of the profile's target",
            advice="Set the input `adapter` to the `type:` in profiles.yml.",
        )
    return DbtUnusableError(f"The project cannot be parsed: {problem.message}")


def _targets_of_profile(problem: SessionException) -> str | None:
    """The targets that there are, where the wanted one is not; dbt 2 names none. None where that is not the problem."""
    # https://github.com/dbt-labs/dbt-core/blob/main/core/dbt/config/profile.py words it so since 0.11.
    if problem.type == "DbtProfileError" and "does not have a target named" in problem.message:
        _, _, targets = problem.message.partition("are:")
        return ", ".join(line.strip(" -") for line in targets.splitlines() if line.strip())
    in_dbt_2 = re.search(r"^\[InvalidConfig [^\]]*\]: target '.*' not found in profile", problem.message)
    return "" if in_dbt_2 else None


def _usage_error(settings: RunSettings, problem: SessionException) -> RequestError:
    return RequestError(
        "dbt-args",
        given=f"{shown(' '.join(settings.dbt_args))}, and dbt says: {problem.message}",
        allowed="arguments of dbt build",
        advice="`dbt build --help` lists them.",
    )


def selection_error(settings: RunSettings, problem: SessionException) -> HeadlessDbtError:
    """What fails in `dbt list`, after a parse that did not, is the selection."""
    nothing_chosen = not any((settings.select, settings.exclude, settings.selector))
    if problem.type == "DbtUsageException" or (settings.dbt_args and nothing_chosen):
        return _usage_error(settings, problem)
    if nothing_chosen:  # A cycle, for example, which dbt looks for only now.
        return parse_error(settings, problem)
    return RequestError(
        "selector" if settings.selector else "select",
        given=f"{selection_of(settings)}, and dbt says: {problem.message.removeprefix('Runtime Error').strip()}",
        allowed="a node selection of dbt",
        advice="https://docs.getdbt.com/reference/node-selection/syntax shows the syntax.",
    )


def selection_of(settings: RunSettings) -> str:
    """The selection as a person would name it."""
    named = (("select", settings.select), ("exclude", settings.exclude), ("selector", settings.selector))
    return ", ".join(f"{name} {shown(value)}" for name, value in named if value) or "the whole project"
