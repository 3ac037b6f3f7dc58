"""An HTTP server on loopback: routes, credentials, limits, and answers that go wrong as a schedule says.

Add here what every vendor's server needs. What it serves and how it pages is in the vendor's module.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipelines.sample.servers.faults import Fault, Schedule

RETRY_AFTER = "0.01"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    fault: Fault | None = None


@dataclass(frozen=True)
class Answer:
    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


class RefusedError(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, message: str) -> None:
        self.answer = Answer({"error": message}, status)
        super().__init__(message)


@dataclass
class VendorServer:
    """A running server; `answer` is the vendor's. Requests are answered one at a time, as they were counted."""

    answer: Callable[[Request], Answer]
    schedule: Schedule = field(default_factory=Schedule)
    requests: list[Request] = field(default_factory=list)
    is_expired: bool = False
    url: str = ""

    @contextmanager
    def running(self, port: int = 0) -> Iterator[VendorServer]:
        lock, vendor = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                """What is asked for may be personal."""

            def do_GET(self) -> None:
                with lock:
                    vendor.serve(self)

            do_POST = do_GET  # noqa: N815

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request, or have go wrong what the schedule says."""
        length = int(handler.headers.get("Content-Length") or 0)
        raw = handler.rfile.read(length) if length else b""
        parts = urlsplit(handler.path)
        fault = self.schedule.next()
        request = Request(
            handler.command,
            parts.path,
            {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()},
            {name.lower(): value for name, value in handler.headers.items()},
            json.loads(raw) if raw else None,
            fault,
        )
        self.requests.append(request)
        if fault is Fault.EXPIRED:
            self.is_expired = True
        if self.is_expired:
            self._send(handler, Answer({"error": "invalid_token"}, 401))
        elif fault is Fault.RATE_LIMITED:
            self._send(handler, Answer({"error": "rate limit"}, 429, {"Retry-After": RETRY_AFTER}))
        elif fault is Fault.SERVER_ERROR:
            self._send(handler, Answer("<html>Internal error</html>", 500, content_type="text/html"))
        elif fault is Fault.UNAVAILABLE:
            self._send(handler, Answer({"error": "unavailable"}, 503))
        elif fault is Fault.TIMEOUT:
            handler.close_connection = True
        else:
            try:
                found = self.answer(request)
            except RefusedError as refused:
                found = refused.answer
            self._send(handler, found, fault)

    def _send(self, handler: BaseHTTPRequestHandler, answer: Answer, fault: Fault | None = None) -> None:
        body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body, ensure_ascii=False)
        content = body.encode()
        length = len(content)
        if fault in {Fault.TRUNCATED, Fault.BROKEN_JSON}:
            content = content[: max(length // 2, 1)]
            length = length if fault is Fault.TRUNCATED else len(content)
            handler.close_connection = True
        handler.send_response(answer.status)
        handler.send_header("Content-Type", answer.content_type)
        handler.send_header("Content-Length", str(length))
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if fault is Fault.SLOW:
            handler.wfile.write(content[: length // 2])
            handler.wfile.flush()
            time.sleep(0.02)
            content = content[length // 2 :]
        handler.wfile.write(content)
