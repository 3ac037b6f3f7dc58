"""The report in a browser: its figures are those of the tables, and everybody can read it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.integration.company import Company

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")

# By the name of a figure on the page: where it comes from.
FIGURES = {
    "customers": "select count(*) from marts.customers",
    "person_records": "select count(*) from marts.customer_source_records",
    "merged_records": "select count(*) - count(distinct customer_id) from marts.customer_source_records",
    "orders": "select count(*) from marts.orders",
    "revenue": "select round(sum(revenue_amount_base))::bigint from marts.customers",
    "contactable_email": "select count(*) from marts.customers where is_contactable_email",
    "contactable_post": "select count(*) from marts.customers where is_contactable_post",
    "corrected_values": "select count(*) from audit.corrections where status = 'applied'",
    "proposed_corrections": "select count(*) from audit.corrections where status = 'proposed'",
    "rejected_records": "select count(distinct record_key) from audit.rejects",
    "pairs_to_review": "select count(*) from audit.review_queue",
    "open_findings": "select count(*) from audit.findings where state in ('open', 'reopened')",
    **{
        status: f"select count(*) from audit.rule_results where status = '{status}'"
        for status in ("passed", "failed", "warned", "not_applicable", "not_run")
    },
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if BROWSER is None:
        pytest.skip("there is no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, published_company: Company) -> Iterator[Page]:
    """The report of the published version, in English, from the file as an owner opens it."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-GB")
    opened.asked = []  # type: ignore[attr-defined]
    opened.complaints = []  # type: ignore[attr-defined]
    opened.on("request", lambda request: opened.asked.append(request.url))  # type: ignore[attr-defined]
    opened.on("console", lambda message: opened.complaints.append(message.text))  # type: ignore[attr-defined]
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))  # type: ignore[attr-defined]
    opened.goto((published_company.data / "published" / "current" / "report" / "index.html").resolve().as_uri())
    yield opened
    opened.close()


def _number(text: str) -> int:
    return int(re.sub(r"[^\d]", "", text))


def test_its_figures_are_those_of_the_tables(page: Page, published_company: Company) -> None:
    for name, query in FIGURES.items():
        shown = page.locator(f'[data-figure="{name}"]').inner_text()
        [(expected,)] = published_company.query(query, restricted=True)
        assert _number(shown) == expected, name
    [(status,)] = published_company.query("select status from audit.verdict")
    assert page.locator('[data-figure="verdict"]').inner_text().lower().replace(" ", "_") == status
    [(score,)] = published_company.query("select floor(score * 1000) / 10 from audit.scorecard where level = 'total'")
    assert page.locator('[data-figure="score"]').inner_text() == f"{score:.1f}"


def test_every_rule_and_every_score_of_a_source_is_on_it(page: Page, published_company: Company) -> None:
    text = page.locator("body").text_content() or ""
    for (rule,) in published_company.query("select distinct upper(replace(rule_id, '_', '-')) from audit.rule_results"):
        assert rule in text
    scores = published_company.query(
        "select scope, floor(score * 1000) / 10 from audit.scorecard "
        "where level = 'scope' and dimension is null and score is not null and scope in ('crm', 'shop', 'support')"
    )
    assert len(scores) == 3
    for scope, score in scores:
        row = page.locator("#scores tbody tr", has=page.get_by_role("rowheader", name=scope, exact=True))
        assert row.locator("td").last.inner_text() == f"{score:.1f}"


def test_it_needs_nothing_but_itself_and_is_small(page: Page, published_company: Company) -> None:
    assert page.complaints == []  # type: ignore[attr-defined]
    assert [url for url in page.asked if not url.startswith("file:")] == []  # type: ignore[attr-defined]
    assert len(page.asked) == 1  # type: ignore[attr-defined]
    file = published_company.data / "published" / "current" / "report" / "index.html"
    assert file.stat().st_size < 3_000_000


def test_it_speaks_german_when_asked_by_keyboard(page: Page) -> None:
    heading = page.get_by_role("heading", level=2).first
    assert heading.inner_text() == "Worth doing first"
    page.get_by_role("radio", name="English").focus()
    page.keyboard.press("ArrowRight")
    assert heading.inner_text() == "Was sich zuerst lohnt"
    assert page.locator("html").get_attribute("lang") == "de"
    customers = page.locator('[data-figure="customers"]').inner_text()
    assert "," not in customers


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_from_reading_it(page: Page, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_it_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
