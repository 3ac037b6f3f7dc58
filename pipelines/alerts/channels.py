"""How a message reaches somebody: by webhook in the form of Slack or Teams, and by e-mail.

Add another way of telling here. What is told is decided elsewhere and never holds personal data.
"""

from __future__ import annotations

import json
import logging
import smtplib
import urllib.request
from email.message import EmailMessage
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.parse import urlsplit

from pipelines.configuration.load import expand
from pipelines.errors import ConfigurationError

if TYPE_CHECKING:
    from pipelines.alerts.events import Message
    from pipelines.configuration.company import AlertConfig, EmailAlertConfig, WebhookConfig
    from pipelines.settings import Settings

TIMEOUT_SECONDS = 10
# Where Teams' workflows and its older connectors listen.
TEAMS_HOSTS = ("webhook.office.com", "logic.azure.com", "api.powerplatform.com", "api.powerautomate.com")
logger = logging.getLogger(__name__)


def send(settings: Settings, alerts: AlertConfig, message: Message) -> list[str]:
    """Send a message by every configured channel; returns those that took it."""
    reached = []
    if alerts.webhook:
        try:
            _post(alerts.webhook, settings, message)
            reached.append("webhook")
        except (URLError, HTTPException, OSError, ValueError, ConfigurationError) as error:
            logger.warning("The alert webhook cannot be reached (%s); check company.yml.", type(error).__name__)
    if alerts.email:
        try:
            _mail(alerts.email, settings, message)
            reached.append("email")
        except (smtplib.SMTPException, OSError, ValueError, ConfigurationError) as error:
            logger.warning("The alert mail server cannot be reached (%s); check company.yml.", type(error).__name__)
    return reached


def webhook_body(message: Message, form: str) -> dict[str, Any]:
    """The JSON that a webhook takes: `slack` is one `text`, which many others take too; `teams` an adaptive card."""
    if form == "slack":
        return {"text": f"{message.subject}\n{message.text}"}
    blocks = [
        {"type": "TextBlock", "text": message.subject, "weight": "Bolder", "size": "Medium", "wrap": True},
        *({"type": "TextBlock", "text": part, "wrap": True} for part in message.text.split("\n\n")),
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _post(webhook: WebhookConfig, settings: Settings, message: Message) -> None:
    url = expand(webhook.url, settings)
    if not url.startswith(("http://", "https://")):
        raise ValueError("a webhook is an http or https address")
    form = webhook.form or ("teams" if (urlsplit(url).hostname or "").endswith(TEAMS_HOSTS) else "slack")
    body = json.dumps(webhook_body(message, form)).encode()
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
        pass


def _mail(mail: EmailAlertConfig, settings: Settings, message: Message) -> None:
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = message.subject, mail.sender, ", ".join(mail.to)
    letter.set_content(message.text)
    with smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_SECONDS) as server:
        if mail.use_starttls:
            server.starttls()
        if mail.user and mail.password:
            server.login(expand(mail.user, settings), expand(mail.password, settings))
        server.send_message(letter)
