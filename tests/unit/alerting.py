"""A company whose alerts reach a real webhook on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pipelines.settings import PROJECT_DIR, Settings


@contextmanager
def webhook(received: list[dict[str, Any]], status: int = 200) -> Iterator[str]:
    """The address of a webhook that keeps what it gets, and answers with this status."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook"
    finally:
        server.shutdown()
        server.server_close()


def with_alerts(settings: Settings, folder: Path, alerts: str) -> Settings:
    """The same settings with a configuration of their own, in which `alerts` is this YAML."""
    config = folder / "config"
    config.mkdir()
    for file in (PROJECT_DIR / "config").iterdir():
        (config / file.name).write_text(file.read_text())
    (config / "company.yml").write_text(f"name: Test GmbH\ncontrollers: [Beispiel Handels GmbH]\nalerts: {alerts}\n")
    return replace(settings, config_dir=config)
