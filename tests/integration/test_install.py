"""What dbt is installed from, and what is said when it cannot be."""

from pathlib import Path

from tests.integration.conftest import Project


def test_a_line_of_dbt_is_resolved_and_both_asked_and_installed_are_recorded(project: Project, tmp_path: Path) -> None:
    done = project.run(
        *("--adapter", "duckdb", "--dbt-version", "1.11"), dbt=False, HEADLESS_DBT_ENVIRONMENTS=str(tmp_path / "envs")
    )
    assert done.exit_code == 0, done.output
    installation = done.read("run.json")["installation"]
    assert installation["requested"] == ["dbt-core==1.11.*", "dbt-duckdb==1.11.1"]
    assert installation["installed"]["dbt-core"].startswith("1.11.")
    assert "Asked for: dbt-core==1.11.*, dbt-duckdb==1.11.1" in done.output
    assert f"dbt-core {installation['installed']['dbt-core']}" in done.output


def test_a_fresh_environment_imports_what_the_run_before_has_compiled(project: Project, tmp_path: Path) -> None:
    compiled = []
    for number in ("first", "second"):
        done = project.run(
            *("--adapter", "duckdb"),
            dbt=False,
            HEADLESS_DBT_ENVIRONMENTS=str(tmp_path / number),
            HEADLESS_DBT_KEPT=str(tmp_path / "kept"),
            # As images of containers have it.
            PYTHONDONTWRITEBYTECODE="1",
            PYTHONPYCACHEPREFIX=str(tmp_path / "elsewhere"),
        )
        assert done.exit_code == 0, done.output
        compiled.append(len(list((tmp_path / number).rglob("*.pyc"))))
    assert compiled[0] > 500
    assert compiled[1] < compiled[0] / 50


PYTHON_MODEL = """
import pandas


def model(dbt, session):
    return pandas.DataFrame({"id": [1]})
"""


def test_a_model_in_python_brings_what_it_needs(project: Project, tmp_path: Path) -> None:
    project.write({"models/scores.py": PYTHON_MODEL})

    done = project.run(*("--adapter", "duckdb"), dbt=False, HEADLESS_DBT_ENVIRONMENTS=str(tmp_path / "envs"))

    assert done.exit_code == 0, done.output
    assert "OK created python table model main.scores" in done.output


def test_sql_alone_does_without_it(project: Project, tmp_path: Path) -> None:
    done = project.run(*("--adapter", "duckdb"), dbt=False, HEADLESS_DBT_ENVIRONMENTS=str(tmp_path / "envs"))

    assert done.exit_code == 0, done.output
    assert not list((tmp_path / "envs").glob("dbt-*/lib/python3*/site-packages/pandas"))


def test_a_pair_that_cannot_be_resolved_is_exit_code_3_with_uvs_reason(project: Project, tmp_path: Path) -> None:
    done = project.run(
        *("--adapter", "duckdb", "--adapter-version", "99.0.0"),
        dbt=False,
        HEADLESS_DBT_ENVIRONMENTS=str(tmp_path / "envs"),
    )
    assert done.exit_code == 3
    assert "there is no version of dbt-duckdb==99.0.0" in done.output
    assert "Correct `dbt-version`, `adapter-version`, `adapter` or `requirements`" in done.output
    assert done.read("run.json")["problem"]["title"] == "dbt could not work"


def test_the_callers_own_requirements_decide(project: Project, tmp_path: Path) -> None:
    project.write({"requirements-dbt.txt": "dbt-core==1.11.16\ndbt-duckdb\n"})
    done = project.run(
        *("--requirements", "requirements-dbt.txt"), dbt=False, HEADLESS_DBT_ENVIRONMENTS=str(tmp_path / "envs")
    )
    assert done.exit_code == 0, done.output
    assert done.read("run.json")["installation"]["installed"]["dbt-core"] == "1.11.16"
    assert "`requirements` does not pin 'dbt-duckdb'" in done.output


def test_an_adapter_that_the_profile_does_not_use_is_named(project: Project, tmp_path: Path) -> None:
    project.write({"requirements-dbt.txt": "dbt-core==1.11.16\n"})
    done = project.run(
        *("--requirements", "requirements-dbt.txt"), dbt=False, HEADLESS_DBT_ENVIRONMENTS=str(tmp_path / "envs")
    )
    assert done.exit_code == 2
    assert "Could not find adapter type duckdb" in done.output
    assert "Add dbt-TYPE==VERSION, with the `type:` in profiles.yml." in done.output
