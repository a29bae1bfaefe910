"""What holds for the jobs of a run on BigQuery."""

from pathlib import Path

import pytest
from headless_dbt.errors import RequestError
from headless_dbt.job_options import TIB, job_options
from headless_dbt.model import Context

from tests.unit.builders import make_context

LEDGER = Path("/run/jobs.jsonl")


def test_the_labels_say_where_a_job_comes_from() -> None:
    options = job_options(make_context(), "prod", 0, 6.25, LEDGER)

    assert options.labels == {"repository": "acme/shop", "workflow": "dbt.yml", "run_id": "42", "target": "prod"}
    assert (options.most_bytes, options.ledger) == (None, "/run/jobs.jsonl")


def test_what_is_not_known_is_no_label() -> None:
    assert job_options(Context(), "prod", 0, 6.25, LEDGER).labels == {"target": "prod"}


@pytest.mark.parametrize(("limit", "price", "most"), [(6.25, 6.25, TIB), (1, 4, TIB // 4), (0, 0, None), (0, 5, None)])
def test_a_limit_in_dollars_is_one_in_bytes(limit: float, price: float, most: int | None) -> None:
    assert job_options(Context(), "prod", limit, price, LEDGER).most_bytes == most


def test_a_limit_needs_a_price() -> None:
    with pytest.raises(RequestError, match=r"^cost-limit: got 5 together with cost-per-tib 0; allowed: .*price"):
        job_options(Context(), "prod", 5, 0, LEDGER)
