"""Alerts reach a real mail server and a real webhook on loopback, and never make a run fail."""

from __future__ import annotations

import socket
import threading
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from pipelines.alerts import send_alert
from pipelines.settings import Settings
from tests.unit.alerting import webhook, with_alerts


class _Mailbox:
    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802
        self.mails.append(envelope.content)
        return "250 OK"


def test_an_alert_reaches_the_webhook_in_the_form_that_slack_and_teams_take(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[dict[str, Any]] = []
    with webhook(received) as url:
        monkeypatch.setenv("ALERT_HOOK", url)
        configured = with_alerts(settings, tmp_path, "{webhook: '${ALERT_HOOK}'}")
        assert send_alert(configured, subject="Refused", text="CRM-001 failed.") == ["webhook"]
    assert received == [{"text": "Refused\nCRM-001 failed."}]


def test_an_alert_reaches_the_mail_server(settings: Settings, tmp_path: Path) -> None:
    mailbox = _Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        mail = f"{{email: {{to: [crm@example.org], sender: k@example.org, host: 127.0.0.1, port: {port}}}}}"
        configured = with_alerts(settings, tmp_path, mail)
        assert send_alert(configured, subject="Refused", text="CRM-001 failed.") == ["email"]
    finally:
        controller.stop()
    [mail_bytes] = mailbox.mails
    message = message_from_bytes(mail_bytes)
    assert message["Subject"] == "Refused"
    assert "CRM-001 failed." in str(message.get_payload())


@pytest.mark.parametrize("status", [500, 404])
def test_a_webhook_that_answers_with_an_error_is_not_counted_as_reached(
    settings: Settings, tmp_path: Path, status: int
) -> None:
    with webhook([], status) as url:
        configured = with_alerts(settings, tmp_path, f"{{webhook: '{url}'}}")
        assert send_alert(configured, subject="a", text="b") == []


def test_an_unreachable_channel_never_raises(settings: Settings, tmp_path: Path) -> None:
    mail = "{to: [a@example.org], sender: b@example.org, host: 127.0.0.1, port: 9}"
    alerts = f"{{webhook: 'http://127.0.0.1:9/', email: {mail}}}"
    assert send_alert(with_alerts(settings, tmp_path, alerts), subject="a", text="b") == []


def test_a_webhook_that_does_not_speak_http_never_raises(settings: Settings, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"nonsense\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        alerts = f"{{webhook: 'http://127.0.0.1:{server.getsockname()[1]}/'}}"
        assert send_alert(with_alerts(settings, tmp_path, alerts), subject="a", text="b") == []


def test_an_alert_needs_nothing_but_a_valid_company(settings: Settings, tmp_path: Path) -> None:
    received: list[dict[str, Any]] = []
    with webhook(received) as url:
        configured = with_alerts(settings, tmp_path, f"{{webhook: '{url}'}}")
        (configured.config_dir / "sources.yml").write_text("sources: [")
        assert send_alert(configured, subject="a", text="b") == ["webhook"]
    assert len(received) == 1
