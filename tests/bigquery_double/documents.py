"""The resources as the API shows them."""

from typing import Any

from tests.bigquery_double.state import Dataset, Job, Table, Warehouse, now_ms

USER = "dbt@acme-dwh.iam.gserviceaccount.com"


def job_document(job: Job) -> dict[str, Any]:
    """A job, whole."""
    status: dict[str, Any] = {"state": job.state}
    if job.error:
        status |= {"errorResult": job.error, "errors": [job.error]}
    return {
        "kind": "bigquery#job",
        "id": f"{job.project}:{job.location}.{job.id}",
        "jobReference": job_reference(job),
        "configuration": {**job.configuration, "jobType": job.kind.upper()},
        "statistics": _statistics(job),
        "status": status,
        "user_email": USER,
    }


def job_in_list(job: Job) -> dict[str, Any]:
    """A job as lists show it."""
    document = job_document(job)
    return {**document, "state": job.state, **({"errorResult": job.error} if job.error else {})}


def job_reference(job: Job) -> dict[str, str]:
    """Where a job is found."""
    return {"projectId": job.project, "jobId": job.id, "location": job.location}


def results_document(job: Job, wanted: int | None) -> dict[str, Any]:
    """The results of a query that has ended well, or the news that it has not ended."""
    document: dict[str, Any] = {
        "kind": "bigquery#getQueryResultsResponse",
        "jobReference": job_reference(job),
        "jobComplete": job.done,
    }
    if not job.done:
        return document
    document |= {"totalBytesProcessed": str(job.processed), "cacheHit": False}
    if job.statement.type in ("MERGE", "INSERT", "UPDATE", "DELETE"):
        document["numDmlAffectedRows"] = "1"
    if job.statement.type == "SELECT":
        document |= {"schema": schema_document(job.fields), "totalRows": str(len(job.rows))}
        rows = row_documents(job.rows[:wanted])
        document |= {"rows": rows} if rows else {}
    return document


def schema_document(fields: list[tuple[str, str]]) -> dict[str, Any]:
    """The columns of a result."""
    return {"fields": [{"name": name, "type": kind, "mode": "NULLABLE"} for name, kind in fields]}


def row_documents(rows: list[list[str | None]]) -> list[dict[str, Any]]:
    """The rows of a result."""
    return [{"f": [{"v": value} for value in row]} for row in rows]


def dataset_document(warehouse: Warehouse, dataset: Dataset) -> dict[str, Any]:
    """A dataset."""
    return {
        **dataset.document,
        "kind": "bigquery#dataset",
        "id": f"{warehouse.project}:{dataset.name}",
        "datasetReference": {"projectId": warehouse.project, "datasetId": dataset.name},
        "location": dataset.location,
    }


def table_document(warehouse: Warehouse, dataset: str, name: str, table: Table) -> dict[str, Any]:
    """A table or a view."""
    details = {"numRows": "1", "numBytes": "8", **table.document}
    return {**details, **table_in_list(warehouse, dataset, name, table)}


def table_in_list(warehouse: Warehouse, dataset: str, name: str, table: Table) -> dict[str, Any]:
    """A table or a view as lists show it."""
    return {
        "kind": "bigquery#table",
        "id": f"{warehouse.project}:{dataset}.{name}",
        "tableReference": {"projectId": warehouse.project, "datasetId": dataset, "tableId": name},
        "type": table.document.get("type", "TABLE"),
        "creationTime": str(now_ms()),
    }


def _statistics(job: Job) -> dict[str, Any]:
    statistics: dict[str, Any] = {"creationTime": str(job.created), "startTime": str(job.created)}
    if job.done:
        statistics["endTime"] = str(job.ended)
    if job.kind == "query":
        query: dict[str, Any] = {"statementType": job.statement.type}
        if job.done:
            query |= {
                "totalBytesProcessed": str(job.processed),
                "totalBytesBilled": str(job.billed),
                "totalSlotMs": str(job.slot_ms),
                "cacheHit": False,
            }
            statistics |= {"totalBytesProcessed": str(job.processed), "totalSlotMs": str(job.slot_ms)}
        if job.statement.type in ("MERGE", "INSERT", "UPDATE", "DELETE"):
            query["numDmlAffectedRows"] = "1"
        statistics["query"] = query
    if job.kind == "load" and job.done and not job.error:
        statistics |= {"totalSlotMs": str(job.slot_ms)}
        statistics["load"] = {"inputFiles": "1", "inputFileBytes": "8", "outputRows": "1", "outputBytes": "8"}
    return statistics
