"""Alerts reach a real mail server and a real webhook on loopback, and never make a run fail."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from pipelines.alerts import Event, EventKind, tell
from pipelines.alerts.journal import MOST_PER_HOUR
from pipelines.configuration import load_company
from pipelines.errors import ConfigurationError
from pipelines.settings import Settings
from tests.unit.alerting import webhook, with_alerts


class _Mailbox:
    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802
        self.mails.append(envelope.content)
        return "250 OK"


NOW = datetime.fromisoformat("2026-11-29T02:30:00")
REFUSED = Event(EventKind.RUN_REFUSED, "CRM-001", "nightly refused", "CRM-001 failed.")
STALE = Event(EventKind.SOURCE_STALE, "crm", "crm is stale", "It was last loaded on Monday.")


def told(
    received: list[dict[str, Any]], settings: Settings, *events: Event, after: timedelta = timedelta()
) -> list[str]:
    """The texts that the webhook got from this."""
    before = len(received)
    tell(settings, events, now=NOW + after)
    return [message["text"] for message in received[before:]]


@pytest.fixture
def received() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def configured(settings: Settings, tmp_path: Path, received: list[dict[str, Any]]) -> Iterator[Settings]:
    with webhook(received) as url:
        yield with_alerts(settings, tmp_path, f"{{webhook: '{url}'}}")


def test_an_alert_reaches_the_webhook_of_slack(
    settings: Settings, tmp_path: Path, received: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with webhook(received) as url:
        monkeypatch.setenv("ALERT_HOOK", url)
        configured = with_alerts(settings, tmp_path, "{webhook: '${ALERT_HOOK}'}")
        assert tell(configured, [REFUSED], now=NOW) == ["webhook"]
    assert received == [{"text": "Kundenstamm: nightly refused\nCRM-001 failed."}]


def test_an_alert_reaches_the_webhook_of_teams_as_a_card(
    settings: Settings, tmp_path: Path, received: list[dict[str, Any]]
) -> None:
    with webhook(received) as url:
        configured = with_alerts(settings, tmp_path, f"{{webhook: {{url: '{url}', form: teams}}}}")
        assert tell(configured, [REFUSED, STALE], now=NOW) == ["webhook"]
    [message] = received
    [attachment] = message["attachments"]
    assert (message["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert [block["text"] for block in attachment["content"]["body"]] == [
        "Kundenstamm: nightly refused, and 1 more",
        "CRM-001 failed.",
        "crm is stale: It was last loaded on Monday.",
    ]


def test_an_alert_reaches_the_mail_server(settings: Settings, tmp_path: Path) -> None:
    mailbox = _Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        mail = f"{{email: {{to: [crm@example.org], sender: k@example.org, host: 127.0.0.1, port: {port}}}}}"
        assert tell(with_alerts(settings, tmp_path, mail), [REFUSED], now=NOW) == ["email"]
    finally:
        controller.stop()
    [mail_bytes] = mailbox.mails
    message = message_from_bytes(mail_bytes)
    assert message["Subject"] == "Kundenstamm: nightly refused"
    assert "CRM-001 failed." in str(message.get_payload())


def test_several_events_are_one_message_the_most_important_first(
    configured: Settings, received: list[dict[str, Any]]
) -> None:
    finding = Event(EventKind.NEW_CRITICAL_FINDING, "CRM-001", "new critical finding CRM-001", "Look at it.")
    [text] = told(received, configured, STALE, finding, REFUSED)
    assert text == (
        "Kundenstamm: nightly refused, and 2 more\nCRM-001 failed.\n\n"
        "new critical finding CRM-001: Look at it.\n\ncrm is stale: It was last loaded on Monday."
    )


def test_the_same_is_told_once_a_night_and_said_to_have_been_held_back(
    configured: Settings, received: list[dict[str, Any]]
) -> None:
    hour = timedelta(hours=1)
    assert len(told(received, configured, STALE)) == 1
    assert told(received, configured, STALE, after=hour) == []
    assert told(received, configured, STALE, after=2 * hour) == []
    [text] = told(received, configured, STALE, REFUSED, after=3 * hour)
    assert text.startswith("Kundenstamm: nightly refused\nCRM-001 failed.")
    assert text.endswith("Not told again meanwhile:\n- crm is stale (2 times)")
    [again] = told(received, configured, STALE, after=23.5 * hour)
    assert again.startswith("Kundenstamm: crm is stale\n")


def test_a_flood_is_held_back_and_summed_up_by_the_next_message(
    configured: Settings, received: list[dict[str, Any]]
) -> None:
    minute = timedelta(minutes=1)
    many = [Event(EventKind.RUN_FAILED, str(n), f"run {n} failed", "It broke.") for n in range(MOST_PER_HOUR + 3)]
    for number, event in enumerate(many):
        told(received, configured, event, after=number * minute)
    assert len(received) == MOST_PER_HOUR
    [text] = told(received, configured, REFUSED, after=90 * minute)
    for event in many[MOST_PER_HOUR:]:
        assert f"- {event.subject}" in text


def test_only_the_kinds_that_are_asked_for_are_told(
    settings: Settings, tmp_path: Path, received: list[dict[str, Any]]
) -> None:
    with webhook(received) as url:
        configured = with_alerts(settings, tmp_path, f"{{webhook: '{url}', only: [run_refused]}}")
        assert tell(configured, [STALE], now=NOW) == []
        assert tell(configured, [STALE, REFUSED], now=NOW) == ["webhook"]
    assert [m["text"] for m in received] == ["Kundenstamm: nightly refused\nCRM-001 failed."]


@pytest.mark.parametrize("status", [500, 404])
def test_what_reached_nobody_is_told_the_next_time(
    settings: Settings, tmp_path: Path, received: list[dict[str, Any]], status: int
) -> None:
    with webhook(received, status) as url:
        configured = with_alerts(settings, tmp_path, f"{{webhook: '{url}'}}")
        assert tell(configured, [REFUSED], now=NOW) == []
        assert tell(configured, [REFUSED], now=NOW + timedelta(minutes=5)) == []
    assert len(received) == 2


def test_an_unreachable_channel_never_raises(settings: Settings, tmp_path: Path) -> None:
    mail = "{to: [a@example.org], sender: b@example.org, host: 127.0.0.1, port: 9}"
    alerts = f"{{webhook: 'http://127.0.0.1:9/', email: {mail}}}"
    assert tell(with_alerts(settings, tmp_path, alerts), [REFUSED], now=NOW) == []


def test_a_webhook_that_does_not_speak_http_never_raises(settings: Settings, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"nonsense\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        alerts = f"{{webhook: 'http://127.0.0.1:{server.getsockname()[1]}/'}}"
        assert tell(with_alerts(settings, tmp_path, alerts), [REFUSED], now=NOW) == []


def test_an_alert_needs_nothing_but_a_valid_company(configured: Settings, received: list[dict[str, Any]]) -> None:
    (configured.config_dir / "sources.yml").write_text("sources: [")
    assert len(told(received, configured, REFUSED)) == 1


def test_a_kind_that_does_not_exist_is_a_mistake_of_the_configuration(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"company.yml, line 3: 'alerts.only\[0\]'"):
        load_company(with_alerts(settings, tmp_path, "{only: [everything]}"))
