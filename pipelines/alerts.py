"""Tell somebody by e-mail or webhook that a run was refused, failed or did not start.

Add another way of telling here. What is told is decided by the caller and never holds personal data.
"""

from __future__ import annotations

import json
import logging
import smtplib
import urllib.request
from email.message import EmailMessage
from http.client import HTTPException
from urllib.error import URLError

from pipelines.configuration import load_company
from pipelines.configuration.company import EmailAlertConfig
from pipelines.configuration.load import expand
from pipelines.errors import ConfigurationError
from pipelines.settings import Settings

TIMEOUT_SECONDS = 10
logger = logging.getLogger(__name__)


def send_alert(settings: Settings, *, subject: str, text: str) -> list[str]:
    """Send one alert to every configured channel.

    Returns:
        The channels that were reached, of `webhook` and `email`. A channel that cannot be reached is logged and never
        makes a run fail.
    """
    try:
        alerts = load_company(settings).alerts
    except ConfigurationError:
        logger.warning("No alert was sent because company.yml is invalid.")
        return []
    reached = []
    if alerts.webhook:
        try:
            _post(expand(alerts.webhook, settings), subject, text)
            reached.append("webhook")
        except (URLError, HTTPException, OSError, ValueError) as error:
            logger.warning("The alert webhook cannot be reached (%s); check company.yml.", type(error).__name__)
    if alerts.email:
        try:
            _mail(alerts.email, settings, subject, text)
            reached.append("email")
        except (smtplib.SMTPException, OSError, ValueError) as error:
            logger.warning("The alert mail server cannot be reached (%s); check company.yml.", type(error).__name__)
    return reached


def _post(url: str, subject: str, text: str) -> None:
    """The form that Slack and Teams take: one JSON object with `text`."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("a webhook is an http or https address")
    body = json.dumps({"text": f"{subject}\n{text}"}).encode()
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
        pass


def _mail(mail: EmailAlertConfig, settings: Settings, subject: str, text: str) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, mail.sender, ", ".join(mail.to)
    message.set_content(text)
    with smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_SECONDS) as server:
        if mail.use_starttls:
            server.starttls()
        if mail.user and mail.password:
            server.login(expand(mail.user, settings), expand(mail.password, settings))
        server.send_message(message)
