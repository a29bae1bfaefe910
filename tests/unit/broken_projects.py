"""What dbt-core 1.12.6 says of broken projects, word for word, and where the place of the error is.

The project lies at /project. Its files are those of BASE, with those of the case over them.
"""

# ruff: noqa: E501  What dbt says is quoted as it is.

from collections.abc import Mapping
from dataclasses import dataclass

from headless_dbt.locate import Place

BASE = {
    "dbt_project.yml": 'name: shop\nprofile: shop\nversion: "1.0.0"\n',
    "profiles.yml": "shop:\n  target: local\n  outputs:\n    local: {type: duckdb, path: shop.duckdb}\n",
    "models/one.sql": "select 1 as id",
    "models/two.sql": "select id from {{ ref('one') }}",
}


@dataclass(frozen=True)
class Told:
    """A kind of broken project: what of it differs, what dbt says, and the place; None where none is certain."""

    kind: str
    files: Mapping[str, str]
    message: str
    place: Place | None


TOLD = (
    Told(
        "yaml_syntax",
        {"models/schema.yml": "models:\n  - name: one\n    columns: [\n  - name: two\n"},
        "Parsing Error\n"
        "  Error reading shop: schema.yml - Runtime Error\n"
        "    Syntax error near line 4\n"
        "    ------------------------------\n"
        "    1  | models:\n"
        "    2  |   - name: one\n"
        "    3  |     columns: [\n"
        "    4  |   - name: two\n"
        "    \n"
        "    Raw Error:\n"
        "    ------------------------------\n"
        "    while parsing a flow node\n"
        "    did not find expected node content\n"
        '      in "<unicode string>", line 4, column 3',
        Place("models/schema.yml", 4),
    ),
    Told(
        "yaml_tab",
        {"models/schema.yml": "models:\n  - name: one\n\tdescription: x\n"},
        "Parsing Error\n"
        "  Error reading shop: schema.yml - Runtime Error\n"
        "    Syntax error near line 3\n"
        "    ------------------------------\n"
        "    1  | models:\n"
        "    2  |   - name: one\n"
        "    3  | \tdescription: x\n"
        "    \n"
        "    Raw Error:\n"
        "    ------------------------------\n"
        "    while scanning a plain scalar\n"
        '      in "<unicode string>", line 2, column 11\n'
        "    found a tab character that violates indentation\n"
        '      in "<unicode string>", line 3, column 1',
        Place("models/schema.yml", 3),
    ),
    Told(
        "yaml_colon",
        {"models/schema.yml": "models:\n  - name: one\n    description: a: b\n"},
        "Parsing Error\n"
        "  Error reading shop: schema.yml - Runtime Error\n"
        "    Syntax error near line 3\n"
        "    ------------------------------\n"
        "    1  | models:\n"
        "    2  |   - name: one\n"
        "    3  |     description: a: b\n"
        "    \n"
        "    Raw Error:\n"
        "    ------------------------------\n"
        "    mapping values are not allowed in this context\n"
        '      in "<unicode string>", line 3, column 19',
        Place("models/schema.yml", 3),
    ),
    Told(
        "project_yaml",
        {"dbt_project.yml": 'name: shop\nprofile: shop\nmodels:\n  shop: [\nversion: "1.0.0"\n'},
        "Runtime Error\n"
        "  Syntax error near line 6\n"
        "  ------------------------------\n"
        "  3  | models:\n"
        "  4  |   shop: [\n"
        '  5  | version: "1.0.0"\n'
        "  \n"
        "  Raw Error:\n"
        "  ------------------------------\n"
        "  while parsing a flow sequence\n"
        '    in "<unicode string>", line 4, column 9\n'
        "  did not find expected ',' or ']'\n"
        '    in "<unicode string>", line 6, column 1',
        Place("dbt_project.yml", 5),
    ),
    Told(
        "project_jinja",
        {
            "dbt_project.yml": 'name: shop\nprofile: shop\nmodels:\n  shop:\n    +schema: "{{ var(\'x\' }}"\nversion: "1.0.0"\n'
        },
        "Compilation Error\n"
        "  Could not render {{ var('x' }}: unexpected '}', expected ')'\n"
        "    line 1\n"
        "      {{ var('x' }}",
        Place("dbt_project.yml", 5),
    ),
    Told(
        "project_env_var",
        {
            "dbt_project.yml": 'name: shop\nprofile: shop\nmodels:\n  shop:\n    +schema: "{{ env_var(\'NOPE\') }}"\nversion: "1.0.0"\n'
        },
        "Parsing Error\n  Env var required but not provided: 'NOPE'",
        Place("dbt_project.yml", 5),
    ),
    Told(
        "project_invalid",
        {"dbt_project.yml": 'name: shop\nprofile: shop\nversion: "1.0.0"\nmodel-paths: 3\n'},
        "Runtime Error\n"
        "  at path ['model-paths']: 3 is not valid under any of the given schemas\n"
        "\n"
        "Error encountered in /project/dbt_project.yml",
        Place("dbt_project.yml", 4),
    ),
    Told(
        "model_jinja",
        {"models/sub/three.sql": "\n\nselect 1\nfrom {{ ref('one' }}\n"},
        "Compilation Error in model three (models/sub/three.sql)\n"
        "  unexpected '}', expected ')'\n"
        "    line 2\n"
        "      from {{ ref('one' }}",
        Place("models/sub/three.sql", 4),
    ),
    Told(
        "model_jinja_unclosed",
        {"models/sub/three.sql": "select 1\n{% if true %}\nfrom x\n"},
        "Compilation Error in model three (models/sub/three.sql)\n"
        "  Unexpected end of template. Jinja was looking for the following tags: 'elif' or 'else' or 'endif'. The innermost block that needs to be closed is 'if'.\n"
        "    line 2\n"
        "      {% if true %}",
        Place("models/sub/three.sql", 2),
    ),
    Told(
        "model_ref_gone",
        {"models/sub/three.sql": "select 1\nfrom {{ ref('gone') }}\n"},
        "Compilation Error\n"
        "  Model 'model.shop.three' (models/sub/three.sql) depends on a node named 'gone' which was not found",
        Place("models/sub/three.sql", 2),
    ),
    Told(
        "model_source_gone",
        {"models/sub/three.sql": "select 1\nfrom {{ source('raw', 'gone') }}\n"},
        "Compilation Error\n"
        "  Model 'model.shop.three' (models/sub/three.sql) depends on a source named 'raw.gone' which was not found",
        Place("models/sub/three.sql", 2),
    ),
    Told(
        "model_env_var",
        {"models/sub/three.sql": "select 1\n, {{ env_var('NOPE') }}\n"},
        "Parsing Error\n  Env var required but not provided: 'NOPE'",
        Place("models/sub/three.sql", 2),
    ),
    Told(
        "dup_model",
        {"models/sub/one.sql": "select 2"},
        "Compilation Error\n"
        '  dbt found two models with the name "one".\n'
        "  \n"
        "  Since these resources have the same name, dbt will be unable to find the correct resource\n"
        '  when looking for ref("one").\n'
        "  \n"
        "  To fix this, change the name of one of these resources:\n"
        "  - model.shop.one (models/sub/one.sql)\n"
        "  - model.shop.one (models/one.sql)",
        Place("models/sub/one.sql", 0),
    ),
    Told(
        "dup_macro",
        {"macros/a.sql": "{% macro x() %}{% endmacro %}", "macros/b.sql": "\n{% macro x() %}{% endmacro %}"},
        "Compilation Error\n"
        '  dbt found multiple macros named "x" in the project "shop".\n'
        "   All macros require unique names, to fix this error rename or remove any\n"
        "  duplicates. They can be found in these files:\n"
        "      - macros/b.sql\n"
        "      - macros/a.sql",
        Place("macros/b.sql", 2),
    ),
    Told(
        "dup_patch",
        {"models/a.yml": "models:\n  - name: one\n", "models/b.yml": "models:\n  - name: two\n  - name: one\n"},
        "Compilation Error\n"
        "  dbt found two schema.yml entries for the same resource named one. Resources and their associated columns may only be described a single time. To fix this, remove the resource entry for one in one of these files:\n"
        "   - models/a.yml\n"
        "  models/b.yml",
        Place("models/a.yml", 2),
    ),
    Told(
        "dup_patch_same",
        {"models/a.yml": "models:\n  - name: one\n  - name: one\n"},
        "Compilation Error\n"
        "  dbt found two schema.yml entries for the same resource named one. Resources and their associated columns may only be described a single time. To fix this, remove one of the resource entries for one in this file:\n"
        "   - models/a.yml\n"
        "  ",
        Place("models/a.yml", 0),
    ),
    Told(
        "dup_source",
        {
            "models/a.yml": "sources:\n  - name: raw\n    tables: [{name: x}]\n",
            "models/b.yml": "sources:\n  - name: raw\n    tables: [{name: x}]\n",
        },
        "Compilation Error\n"
        '  dbt found two sources with the name "raw_x".\n'
        "  \n"
        "  Since these resources have the same name, dbt will be unable to find the correct resource\n"
        '  when looking for source("raw", "x").\n'
        "  \n"
        "  To fix this, change the name of one of these resources:\n"
        "  - source.shop.raw.x (models/a.yml)\n"
        "  - source.shop.raw.x (models/b.yml)",
        Place("models/a.yml", 3),
    ),
    Told(
        "schema_no_name",
        {"models/schema.yml": "models:\n  - name: one\n  - description: x\n"},
        "Parsing Error\n"
        "  The schema file at models/schema.yml is invalid because a list element for 'models' does not have a name attribute.",
        Place("models/schema.yml", 1),
    ),
    Told(
        "schema_bad_type",
        {"models/schema.yml": "models:\n  - name: one\n    description: [1]\n"},
        "Parsing Error\n"
        "  Invalid models config given in models/schema.yml @ models: {'name': 'one', 'description': [1], 'original_file_path': 'models/schema.yml', 'yaml_key': 'models', 'package_name': 'shop'} - at path ['description']: [1] is not of type 'string'",
        Place("models/schema.yml", 2),
    ),
    Told(
        "schema_jinja",
        {"models/schema.yml": "models:\n  - name: one\n    description: \"{{ doc('nope') }}\"\n"},
        "Compilation Error\n  Documentation for 'model.shop.one' depends on doc 'nope'  which was not found",
        Place("models/schema.yml", 3),
    ),
    Told(
        "schema_jinja_syntax",
        {"models/schema.yml": "models:\n  - name: one\n    description: \"{{ doc('nope' }}\"\n"},
        "Compilation Error\n  unexpected '}', expected ')'\n    line 1\n      {{ doc('nope' }}",
        Place("models/schema.yml", 3),
    ),
    Told(
        "schema_top_list",
        {"models/schema.yml": "- name: one\n"},
        "Parsing Error\n"
        "  Error reading shop: schema.yml - Runtime Error\n"
        "    Contents of file 'models/schema.yml' are not valid. Dictionary expected.",
        Place("models/schema.yml", 0),
    ),
    Told(
        "test_bad_args",
        {
            "models/schema.yml": "models:\n  - name: one\n    columns:\n      - name: id\n        data_tests:\n          - accepted_values: 3\n"
        },
        "Parsing Error\n"
        "  Invalid test config given in models/schema.yml:\n"
        "  \ttest arguments must be a dict, got <class 'int'> (value 3)\n"
        "  \t@: UnparsedModelUpdate(original_file_path='mode...ne)",
        Place("models/schema.yml", 0),
    ),
    Told(
        "unit_test_model_gone",
        {"models/schema.yml": "unit_tests:\n  - name: adds\n    model: gone\n    given: []\n    expect: {rows: []}\n"},
        "Parsing Error\n  Unable to find model 'shop.gone' for unit test 'adds' in models/schema.yml",
        Place("models/schema.yml", 2),
    ),
    Told(
        "unit_test_broken",
        {"models/schema.yml": "unit_tests:\n  - name: adds\n    model: one\n"},
        "Parsing Error\n"
        "  Invalid unit_tests config given in FilePath(searched_path='models', relative_path='schema.yml', modification_time=1795768539.5558474, project_root='/project') @ unit_tests: {'name': 'adds', 'model': 'one'} - at path []: 'given' is a required property",
        Place("models/schema.yml", 2),
    ),
    Told(
        "exposure_gone",
        {
            "models/schema.yml": "exposures:\n  - name: dash\n    type: dashboard\n    owner: {name: x}\n    depends_on: [ref('gone')]\n"
        },
        "Compilation Error\n"
        "  Exposure 'exposure.shop.dash' (models/schema.yml) depends on a node named 'gone' which was not found",
        Place("models/schema.yml", 5),
    ),
    Told(
        "exposure_bad_type",
        {"models/schema.yml": "exposures:\n  - name: dash\n    type: nope\n    owner: {name: x}\n"},
        "Parsing Error\n"
        "  Invalid exposures config given in FilePath(searched_path='models', relative_path='schema.yml', modification_time=1795768547.1395411, project_root='/project') @ exposures: {'name': 'dash', 'type': 'nope', 'owner': {'name': 'x'}} - at path ['type']: 'nope' is not one of ['dashboard', 'notebook', 'analysis', 'ml', 'application']",
        Place("models/schema.yml", 2),
    ),
    Told(
        "macro_jinja",
        {"macros/a.sql": "\n{% macro x() %}\n  {{ ref('x' }}\n{% endmacro %}"},
        "Compilation Error\n  unexpected '}', expected ')'\n    line 2\n      {{ ref('x' }}",
        Place("macros/a.sql", 3),
    ),
    Told(
        "macro_unclosed",
        {"macros/a.sql": "{% macro x() %}\n  1\n"},
        "Compilation Error\n  Reached EOF without finding a close tag for macro (searched from line 1)",
        Place("macros/a.sql", 1),
    ),
    Told(
        "macro_raise",
        {
            "macros/a.sql": "{% macro x() %}\n  {{ exceptions.raise_compiler_error('bad thing') }}\n{% endmacro %}",
            "models/three.sql": "select 1\n, {{ x() }}",
        },
        "Compilation Error in model three (models/three.sql)\n"
        "  bad thing\n"
        "  \n"
        "  > in macro x (macros/a.sql)\n"
        "  > called by model three (models/three.sql)",
        Place("macros/a.sql", 1),
    ),
    Told(
        "macro_undefined_in",
        {
            "macros/a.sql": "{% macro x() %}\n  {{ nope.y }}\n{% endmacro %}",
            "models/three.sql": "select 1\n, {{ x() }}",
        },
        "Compilation Error in model three (models/three.sql)\n  'nope' is undefined",
        Place("models/three.sql", 0),
    ),
    Told(
        "macro_args",
        {"macros/a.sql": "{% macro x(a) %}\n{% endmacro %}", "models/three.sql": "select 1\n, {{ x(1, 2) }}"},
        "Compilation Error in model three (models/three.sql)\n  macro 'dbt_macro__x' takes not more than 1 argument(s)",
        Place("models/three.sql", 0),
    ),
    Told(
        "snapshot_missing",
        {"snapshots/s.sql": "{% snapshot s %}\nselect 1 as id\n{% endsnapshot %}"},
        "Snapshots must be configured with a 'strategy' and 'unique_key'.",
        None,
    ),
    Told(
        "snapshot_yml",
        {
            "snapshots/s.yml": "snapshots:\n  - name: s\n    relation: ref('gone')\n    config: {unique_key: id, strategy: check, check_cols: all}\n"
        },
        "Compilation Error\n"
        "  Snapshot 'snapshot.shop.s' (snapshots/s.yml) depends on a node named 'gone' which was not found",
        Place("snapshots/s.yml", 3),
    ),
    Told(
        "dup_doc",
        {"models/d.md": "{% docs x %}hello{% enddocs %}\n", "models/e.md": "\n{% docs x %}hello{% enddocs %}\n"},
        "Compilation Error\n"
        '  dbt found two docs with the name "x".\n'
        "  \n"
        "  Since these resources have the same name, dbt will be unable to find the correct resource\n"
        '  when looking for doc("x").\n'
        "  \n"
        "  To fix this, change the name of one of these resources:\n"
        "  - doc.shop.x (models/e.md)\n"
        "  - doc.shop.x (models/d.md)",
        Place("models/e.md", 2),
    ),
    Told(
        "python_model",
        {"models/p.py": "def model(dbt, session):\n    return dbt.ref('one'\n"},
        "Parsing Error\n  '(' was never closed (p.py, line 2)\n      return dbt.ref('one'\n  ",
        Place("models/p.py", 2),
    ),
    Told(
        "python_model_no",
        {"models/p.py": "def modell(dbt, session):\n    return dbt.ref('one')\n"},
        "Parsing Error in model p (models/p.py)\n  dbt allows exactly one model defined per python file, found 0",
        Place("models/p.py", 0),
    ),
    Told(
        "contract",
        {"models/schema.yml": "models:\n  - name: one\n    config: {contract: {enforced: true}}\n"},
        "Parsing Error\n"
        "  Contract enforcement failed for: (models/one.sql)\n"
        "  Constraints must be defined in a `yml` schema configuration file like `schema.yml`.",
        Place("models/one.sql", 0),
    ),
    Told(
        "versions",
        {"models/schema.yml": "models:\n  - name: one\n    latest_version: 3\n    versions: [{v: 1}, {v: 2}]\n"},
        "Parsing Error\n  latest_version: 3 is not one of model 'one' versions: [1, 2] ",
        None,
    ),
    Told(
        "group_gone",
        {"models/schema.yml": "models:\n  - name: one\n    config: {group: nope}\n"},
        "Parsing Error in model one (models/one.sql)\n  Invalid group 'nope', expected one of []",
        Place("models/one.sql", 0),
    ),
    Told(
        "hook_jinja",
        {"dbt_project.yml": 'name: shop\nprofile: shop\nversion: "1.0.0"\non-run-start: "{{ nope( }}"\n'},
        "Compilation Error in operation shop-on-run-start-0 (./dbt_project.yml)\n"
        "  unexpected '}', expected ')'\n"
        "    line 1\n"
        "      {{ nope( }}",
        Place("dbt_project.yml", 4),
    ),
    Told(
        "selectors",
        {"selectors.yml": "selectors:\n  - name: x\n    definition: [\n"},
        "Runtime Error\n"
        "  Syntax error near line 4\n"
        "  ------------------------------\n"
        "  1  | selectors:\n"
        "  2  |   - name: x\n"
        "  3  |     definition: [\n"
        "  \n"
        "  Raw Error:\n"
        "  ------------------------------\n"
        "  while parsing a flow node\n"
        "  did not find expected node content\n"
        '    in "<unicode string>", line 4, column 1',
        Place("selectors.yml", 3),
    ),
    Told(
        "packages_bad",
        {"packages.yml": "packages:\n  - pack: x\n"},
        "Runtime Error\n"
        "  The packages.yml file in this project is malformed. Please double check\n"
        "  the contents of this file and fix any errors before retrying.\n"
        "  \n"
        "  You can find more information on the syntax for this file here:\n"
        "  https://docs.getdbt.com/docs/package-management\n"
        "  \n"
        "  Validator Error:\n"
        "  {'pack': 'x', 'unrendered': {'pack': 'x'}} is not valid under any of the given schemas\n"
        "  \n"
        "\n"
        "Error encountered in /project/dbt_project.yml",
        Place("packages.yml", 0),
    ),
    Told(
        "hostile_name",
        {"models/a,b:c%d.sql": "select 1\nfrom {{ ref('one' }}\n"},
        "Compilation Error in model a,b:c%d (models/a,b:c%d.sql)\n"
        "  unexpected '}', expected ')'\n"
        "    line 2\n"
        "      from {{ ref('one' }}",
        Place("models/a,b:c%d.sql", 2),
    ),
    Told(
        "space_name",
        {"models/a (b).sql": "select 1\nfrom {{ ref('one' }}\n"},
        "Compilation Error in model a (b) (models/a (b).sql)\n"
        "  unexpected '}', expected ')'\n"
        "    line 2\n"
        "      from {{ ref('one' }}",
        Place("models/a (b).sql", 2),
    ),
    Told(
        "not_utf8",
        {"models/three.sql": "select '\udcff'"},
        "'utf-8' codec can't decode byte 0xff in position 8: invalid start byte",
        Place("models/three.sql", 1),
    ),
    Told(
        "source_freshness_bad",
        {
            "models/schema.yml": "sources:\n  - name: raw\n    freshness: {warn_after: {count: x, period: hour}}\n    tables: [{name: a}]\n"
        },
        "Parsing Error\n"
        "  Invalid sources config given in models/schema.yml @ sources: {'name': 'raw', 'freshness': {'warn_after': {'count': 'x', 'period': 'hour'}}, 'tables': [{'name': 'a'}]} - at path ['freshness']: {'warn_after': {'count': 'x', 'period': 'hour'}} is not valid under any of the given schemas",
        Place("models/schema.yml", 2),
    ),
    Told(
        "bom_model",
        {"models/three.sql": "\ufeff\n\nselect 1\nfrom {{ ref('one' }}\n"},
        "Compilation Error in model three (models/three.sql)\n"
        "  unexpected '}', expected ')'\n"
        "    line 4\n"
        "      from {{ ref('one' }}",
        Place("models/three.sql", 4),
    ),
)
