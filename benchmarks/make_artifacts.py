"""A dbt target folder of any size, as a real project's would be: for measuring what comes after dbt.

``python benchmarks/make_artifacts.py FOLDER --models 5000 --tests 10000`` writes manifest.json, run_results.json and
sources.json. The same numbers always give the same files.
"""

import argparse
import heapq
import json
import random
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_START = datetime(2026, 1, 31, 6, tzinfo=UTC)
_THREADS = 16
_MACROS = 600
_WORDS = ("order", "customer", "session", "invoice", "ticket", "product", "event", "payment", "region", "channel")
_LAYERS = (("staging", "stg", 0.4), ("intermediate", "int", 0.3), ("marts", "fct", 0.3))
# ruff: noqa: S608
# One model in so many fails, and one test in so many warns.
_FAILS, _WARNS = 400, 250


def make_artifacts(folder: Path, models: int, tests: int) -> None:
    """Write the artifacts of a build of so many models and tests into a folder."""
    chance = random.Random(7)  # noqa: S311  The same project every time.
    sources = [_source(number) for number in range(max(1, models // 10))]
    built = _models(models, [source["unique_id"] for source in sources], chance)
    tested = [_test(number, chance.choice(built), chance) for number in range(tests)]
    exposures = [_exposure(number, chance.sample(built, min(4, len(built)))) for number in range(models // 50)]
    manifest = {
        "metadata": {**_metadata("manifest", 12), "adapter_type": "bigquery", "project_name": "shop"},
        "nodes": {node["unique_id"]: node for node in (*built, *tested)},
        "sources": {source["unique_id"]: source for source in sources},
        "macros": {f"macro.dbt.m{number}": _macro(number, chance) for number in range(_MACROS)},
        "exposures": {exposure["unique_id"]: exposure for exposure in exposures},
        "groups": {},
        "unit_tests": {},
    }
    results, elapsed = _results([*built, *tested], chance)
    run_results = {
        "metadata": {
            **_metadata("run-results", 6),
            "generated_at": f"{(_START + timedelta(seconds=elapsed)).isoformat()}",
        },
        "args": {"which": "build", "target": "prod"},
        "elapsed_time": elapsed,
        "results": results,
    }
    freshness = {"metadata": _metadata("sources", 3), "results": [_freshness(source) for source in sources]}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("manifest", manifest), ("run_results", run_results), ("sources", freshness)):
        (folder / f"{name}.json").write_text(json.dumps(content))


def _models(number: int, sources: Sequence[str], chance: random.Random) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for layer, prefix, share in _LAYERS:
        before = [node["unique_id"] for node in found]
        for at in range(round(number * share)):
            of = before[-3000:] or sources
            parents = chance.sample(of, min(len(of), 1 + int(chance.paretovariate(1.2)) % 8))
            name = f"{prefix}_{chance.choice(_WORDS)}_{chance.choice(_WORDS)}_{at:05}"
            found.append(_model(name, layer, parents, chance))
    return found


def _model(name: str, layer: str, parents: list[str], chance: random.Random) -> dict[str, Any]:
    code = _sql(name, parents, chance)
    columns = {
        f"{chance.choice(_WORDS)}_{at}": {"name": f"c{at}", "description": "What it says. " * 3} for at in range(12)
    }
    return {
        **_common(f"model.shop.{name}", f"models/{layer}/{chance.choice(_WORDS)}s/{name}.sql"),
        "patch_path": f"shop://models/{layer}/_{layer}.yml",
        "relation_name": f"`acme-dwh`.`{layer}`.`{name}`",
        "raw_code": code,
        "compiled_code": code.replace("{{", "").replace("}}", ""),
        "description": f"One row for each {chance.choice(_WORDS)} and {chance.choice(_WORDS)}. " * chance.randint(1, 4),
        "tags": chance.sample(("hourly", "nightly", "finance", "pii"), chance.randint(0, 2)),
        "group": chance.choice(("sales", "platform", "customers", None)),
        "columns": columns,
        "meta": {"owner": f"{chance.choice(_WORDS)}-team@example.com"},
        "depends_on": {"macros": ["macro.dbt.m1"], "nodes": parents},
        "config": {
            "materialized": chance.choice(("view", "table", "incremental")),
            "enabled": True,
            "tags": [],
            "meta": {},
        },
    }


def _sql(name: str, parents: Sequence[str], chance: random.Random) -> str:
    lines = [f"-- {name}", "with"]
    lines += [f"c{at} as (select * from {{{{ {parent.rpartition('.')[2]} }}}})," for at, parent in enumerate(parents)]
    for _ in range(chance.randint(10, 90)):
        one, two = chance.choice(_WORDS), chance.choice(_WORDS)
        number = chance.randrange(10**6)
        lines.append(
            f"    case when {one}_id = {number} then coalesce({two}_amount, {number % 97}) end as {one}_{two}_{number},"
        )
    return "\n".join((*lines, "    1 as one", "from c0"))


def _test(number: int, model: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    kind, column = chance.choice(("unique", "not_null", "accepted_values")), f"{chance.choice(_WORDS)}_id"
    name = f"{kind}_{model['name']}_{column}"
    code = f"select {column} from {model['relation_name']} where {column} is null -- {chance.randrange(10**9)}\n" * 4
    return {
        **_common(f"test.shop.{name}.{number:010x}", f"{Path(model['original_file_path']).parent}/_models.yml"),
        "name": name,
        "raw_code": "{{ test(**_dbt_generic_test_kwargs) }}",
        "compiled_code": code,
        "attached_node": model["unique_id"],
        "column_name": column,
        "test_metadata": {
            "name": kind,
            "kwargs": {"column_name": column, "model": "{{ get_where_subquery(ref('x')) }}"},
        },
        "depends_on": {"macros": [f"macro.dbt.m{number % 50}"], "nodes": [model["unique_id"]]},
        "config": {"materialized": "test", "enabled": True, "severity": "ERROR", "tags": [], "meta": {}},
    }


def _common(unique_id: str, file: str) -> dict[str, Any]:
    kind, package, name = unique_id.split(".")[:3]
    return {
        "unique_id": unique_id,
        "name": name,
        "resource_type": kind,
        "package_name": package,
        "path": file.partition("/")[2],
        "original_file_path": file,
        "fqn": [package, *file.split("/")[1:-1], name],
        "checksum": {"name": "sha256", "checksum": "0" * 64},
        "refs": [],
        "meta": {},
        "created_at": 1795768404.18,
    }


def _source(number: int) -> dict[str, Any]:
    word = _WORDS[number % len(_WORDS)]
    return {
        **_common(f"source.shop.raw_{word}.t{number:04}", "models/staging/_sources.yml"),
        "name": f"t{number:04}",
        "source_name": f"raw_{word}",
        "meta": {"produced_by": f"extract-{word}"},
        "config": {"enabled": True},
    }


def _exposure(number: int, models: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        **_common(f"exposure.shop.board_{number}", "models/exposures.yml"),
        "label": f"Board {number}",
        "type": "dashboard",
        "owner": {"name": "Data team", "email": "data@example.com"},
        "depends_on": {"macros": [], "nodes": [model["unique_id"] for model in models]},
    }


def _macro(number: int, chance: random.Random) -> dict[str, Any]:
    return {
        "name": f"m{number}",
        "unique_id": f"macro.dbt.m{number}",
        "package_name": "dbt",
        "original_file_path": f"macros/m{number}.sql",
        "macro_sql": "{% macro m() %}" + "select 1 " * chance.randint(10, 300) + "{% endmacro %}",
        "depends_on": {"macros": []},
    }


def _results(nodes: Sequence[dict[str, Any]], chance: random.Random) -> tuple[list[dict[str, Any]], float]:
    """The results of a build on so many threads, each node after all that it depends on."""
    ended: dict[str, float] = {}
    bad: set[str] = set()
    free = [(0.0, thread) for thread in range(_THREADS)]
    results = []
    for number, node in enumerate(nodes):
        parents = node["depends_on"]["nodes"]
        if not bad.isdisjoint(parents):
            bad.add(node["unique_id"])
            results.append(_skipped(node))
            continue
        at, thread = heapq.heappop(free)
        began = max(at, *(ended.get(parent, 0.0) for parent in parents))
        took = min(300.0, chance.paretovariate(1.3) * (1.5 if node["resource_type"] == "model" else 0.4))
        heapq.heappush(free, (began + took, thread))
        ended[node["unique_id"]] = began + took
        status = "pass" if node["resource_type"] == "test" else "success"
        if node["resource_type"] == "model" and number % _FAILS == _FAILS - 1:
            status = "error"
            bad.add(node["unique_id"])
        elif node["resource_type"] == "test" and number % _WARNS == 0:
            status = "warn"
        results.append(_ran(node, status, began, took, thread))
    return results, max(at for at, _ in free)


def _skipped(node: dict[str, Any]) -> dict[str, Any]:
    return {**_result(node, "skipped"), "timing": [], "execution_time": 0.0, "adapter_response": {}, "message": None}


def _ran(node: dict[str, Any], status: str, began: float, took: float, thread: int) -> dict[str, Any]:
    moments = [
        (_START + timedelta(seconds=began + took * share)).isoformat().replace("+00:00", "Z") for share in (0, 0.1, 1)
    ]
    billed = int(took * 5e8)
    return {
        **_result(node, status),
        "timing": [
            {"name": "compile", "started_at": moments[0], "completed_at": moments[1]},
            {"name": "execute", "started_at": moments[1], "completed_at": moments[2]},
        ],
        "thread_id": f"Thread-{thread + 1} (worker)",
        "execution_time": took,
        "adapter_response": {
            "_message": f"CREATE TABLE ({billed // 100} rows, {billed} processed)",
            "code": "CREATE TABLE",
            "rows_affected": billed // 100,
            "bytes_processed": billed,
            "bytes_billed": billed,
            "location": "EU",
            "project_id": "acme-dwh",
            "job_id": f"{zlib.crc32(node['unique_id'].encode()):010}-0000",
            "slot_ms": int(took * 4000),
        },
        "message": f"Database Error in model {node['name']}\n  Syntax error at [12:4]" if status == "error" else "OK",
    }


def _result(node: dict[str, Any], status: str) -> dict[str, Any]:
    return {
        "unique_id": node["unique_id"],
        "status": status,
        "thread_id": "",
        "failures": None,
        "compiled": True,
        "compiled_code": node["compiled_code"],
        "relation_name": node.get("relation_name"),
    }


def _freshness(source: dict[str, Any]) -> dict[str, Any]:
    return {
        "unique_id": source["unique_id"],
        "status": "pass",
        "max_loaded_at": "2026-01-31T03:00:00Z",
        "max_loaded_at_time_ago_in_s": 10800.0,
        "criteria": {"warn_after": {"count": 12, "period": "hour"}},
        "execution_time": 0.4,
    }


def _metadata(kind: str, version: int) -> dict[str, Any]:
    return {
        "dbt_schema_version": f"https://schemas.getdbt.com/dbt/{kind}/v{version}.json",
        "dbt_version": "1.12.6",
        "generated_at": "2026-01-31T06:00:00Z",
    }


def main() -> None:
    """Write a folder, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", type=int, default=5000)
    parser.add_argument("--tests", type=int, default=10000)
    given = parser.parse_args()
    make_artifacts(given.folder, given.models, given.tests)


if __name__ == "__main__":
    main()
