"""The UI as `make ui` starts it, webserver and daemon, driven through its GraphQL API as a person's browser does."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.company import COMMAND, Company

SELECTOR = {"repositoryLocationName": "kundenstamm", "repositoryName": "__repository__"}
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


class Ui:
    """The GraphQL API of one running UI."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/graphql"

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self._url, data=body, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.loads(response.read())
        assert not answer.get("errors"), answer["errors"]
        return dict(answer["data"])

    def is_up(self) -> bool:
        try:
            answer = self.ask("{ workspaceOrError { ... on Workspace { locationEntries { loadStatus } } } }")
        except OSError:
            return False
        entries = answer["workspaceOrError"]["locationEntries"]
        return bool(entries) and all(e["loadStatus"] == "LOADED" for e in entries)

    def launch(self, job: str, *, assets: list[list[str]] | None = None, config: dict[str, Any] | None = None) -> str:
        selector: dict[str, Any] = {**SELECTOR, "pipelineName": job}
        if assets is not None:
            selector["assetSelection"] = [{"path": path} for path in assets]
            selector["assetCheckSelection"] = []
        answer = self.ask(
            "mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename "
            "... on LaunchRunSuccess { run { id } } ... on PythonError { message } } }",
            p={"selector": selector, "runConfigData": config or {}, "mode": "default"},
        )["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["id"])

    def rerun_from_failure(self, run_id: str) -> str:
        answer = self.ask(
            "mutation($p: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $p) { __typename "
            "... on LaunchRunSuccess { run { id } } ... on PythonError { message } } }",
            p={"parentRunId": run_id, "strategy": "FROM_FAILURE"},
        )["launchRunReexecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["id"])

    def status(self, run_id: str) -> str:
        answer = self.ask("query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run_id)
        return str(answer["runOrError"]["status"])

    def failures(self, run_id: str) -> str:
        answer = self.ask(
            "query($id: ID!) { logsForRun(runId: $id, limit: 1000) { ... on EventConnection { events { "
            "... on MessageEvent { message } ... on ExecutionStepFailureEvent { failureMetadata { description } } "
            "} } } }",
            id=run_id,
        )
        events = answer["logsForRun"]["events"]
        return "\n".join((e.get("failureMetadata") or {}).get("description") or e.get("message") or "" for e in events)

    def wait(self, run_id: str, statuses: set[str] = ENDED) -> str:
        return until(lambda: self.status(run_id), lambda status: status in statuses)


def until(ask: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 240) -> Any:
    deadline = time.monotonic() + seconds
    while not good(answer := ask()):
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds} s"
        time.sleep(0.3)
    return answer


@contextmanager
def serving(company: Company) -> Iterator[tuple[Ui, Callable[[], None]]]:
    """The UI of a company, and a function that kills it and everything it started, as a power cut does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (company.root / f"ui-{port}.log").open("w")
    process = subprocess.Popen(
        [str(COMMAND), "ui", "--port", str(port)],
        env=company.environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )

    def cut_power() -> None:
        for pid in _processes_of(company):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait()

    try:
        ui = Ui(port)
        until(ui.is_up, bool, seconds=90)
        yield ui, cut_power
    finally:
        cut_power()
        log.close()


def _processes_of(company: Company) -> list[int]:
    """Every process whose environment names this company's data folder."""
    mark = f"KUNDENSTAMM_DATA_DIR={company.data}".encode()
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                variables = (process / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if mark in variables:
                found.append(int(process.name))
    return found
