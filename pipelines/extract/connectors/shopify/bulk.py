"""Bulk operations: all nodes of a root as one file of JSON lines, whose number of objects is checked.

Add here what concerns an operation from its start to its last line.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from pipelines.errors import SourceError
from pipelines.extract.connectors import http
from pipelines.extract.connectors.shopify.api import AdminApi
from pipelines.extract.connectors.shopify.queries import (
    CHILD_NODES,
    LOOK_AT_OPERATION,
    RUN_OPERATION,
    OwnFields,
    bulk_query,
)

Record = dict[str, Any]

BATCH = 1000
LONGEST_POLL_SECONDS = 6 * 3600
OPERATION_ATTEMPTS = 3


def run_operation(api: AdminApi, root: str, own: OwnFields, poll_seconds: float) -> Iterator[list[Record]]:
    """All nodes of a root in batches; a child belongs to the parent it names, which comes before it."""
    for attempt in range(OPERATION_ATTEMPTS):
        operation = _wait_for(api, _start(api, bulk_query(root, api.version, own), poll_seconds), poll_seconds)
        if operation["status"] == "COMPLETED":
            break
        if operation.get("errorCode") == "ACCESS_DENIED" or attempt + 1 == OPERATION_ATTEMPTS:
            reason = "lacks the scope for it" if operation.get("errorCode") == "ACCESS_DENIED" else "did not succeed"
            raise SourceError(
                f"{api.client.who}: the bulk operation for {root} {reason} ({operation['status'].lower()}); "
                f"nothing was landed. Check the token's scopes, and start again."
            )
    count, name = 0, CHILD_NODES.get(root, ("", ""))[0]
    batch: list[Record] = []
    parents: dict[str, Record] = {}
    for record in api.client.lines(operation["url"]) if operation["url"] else ():
        count += 1
        parent = record.pop("__parentId", None)
        if parent is not None:
            parents[parent][name].append(record)
            continue
        if len(batch) >= BATCH:
            yield batch
            batch, parents = [], {}
        if name:
            record[name] = []
            parents[record["id"]] = record
        batch.append(record)
    if count != int(operation["objectCount"]):
        raise SourceError(
            f"{api.client.who}: the bulk operation for {root} has {operation['objectCount']} objects, but its "
            f"file has {count}; nothing was landed. Start again."
        )
    yield batch


def _start(api: AdminApi, query: str, poll_seconds: float) -> str:
    begun = time.monotonic()
    while True:
        found = api.ask(RUN_OPERATION, {"query": query})["bulkOperationRunQuery"]
        if not found["userErrors"]:
            return str(found["bulkOperation"]["id"])
        codes = {error.get("code") for error in found["userErrors"]}
        if codes != {"OPERATION_IN_PROGRESS"} or time.monotonic() - begun > LONGEST_POLL_SECONDS:
            raise SourceError(
                f"{api.client.who}: a bulk operation was refused ({', '.join(sorted(map(str, codes)))}); nothing "
                f"was landed."
            )
        http.pause(poll_seconds)


def _wait_for(api: AdminApi, operation_id: str, poll_seconds: float) -> Record:
    begun = time.monotonic()
    while True:
        operation: Record | None = api.ask(LOOK_AT_OPERATION, {"id": operation_id})["node"]
        if operation is None:
            raise SourceError(f"{api.client.who}: the bulk operation was removed; start again.")
        if operation["status"] not in {"CREATED", "RUNNING", "CANCELING"}:
            return operation
        if time.monotonic() - begun > LONGEST_POLL_SECONDS:
            raise SourceError(f"{api.client.who}: the bulk operation has not ended in six hours; nothing was landed.")
        http.pause(poll_seconds)
