"""Web sessions: what a visit was, and whose it is, where tracking was permitted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.unify.conftest import Marts
from tests.unit.unify.world import World, records


def state_facts(world: World) -> None:
    for name in ("anna", "ben", "twin_a", "twin_b"):
        email = "twins@web.example" if name.startswith("twin") else f"{name}@web.example"
        world.person(f"c_w_{name}", f"w_{name}", "shop", email=email)

    def session(name: str, visitor: str | None, **columns: Any) -> None:
        world.event(name, "2026-06-01 10:00:00", session_id=f"s_{name}", anonymous_id=visitor, **columns)

    url = "https://shop.example/?mail=anna@web.example"
    entry = {"utm_source": "news", "utm_medium": "email", "utm_campaign": "spring", "device": "Mobile", "country": "de"}
    world.event("w_first", "2026-06-01 10:00:00", session_id="s_full", anonymous_id="v_full", url=url, **entry)
    world.event("w_twin", "2026-06-01 10:00:00", session_id="s_full", anonymous_id="v_full", kind="click", referrer="r")
    world.event("w_product", "2026-06-01 10:05:00", session_id="s_full", product_record_id="p1", utm_source="later")
    world.event(
        *("w_order", "2026-06-01 10:09:00"), session_id="s_full", kind="order", order_record_id="net", user_id="w_anna"
    )
    world.event("w_deleted", "2026-06-01 11:00:00", session_id="s_full", deleted_at="2026-06-02")
    session("w_before", "v_known")
    session("w_login", "v_known", user_id="w_anna")
    session("w_after", "v_known")
    session("w_by_email", "v_mail", email="ben@web.example")
    session("w_by_shared_email", "v_twins", email="twins@web.example")
    session("w_stranger", "v_stranger")
    session("w_shared_anna", "v_shared", user_id="w_anna")
    session("w_shared_ben", "v_shared", user_id="w_ben")
    session("w_shared_unknown", "v_shared")
    world.event("w_both1", "2026-06-01 10:00:00", session_id="s_both", anonymous_id="v_both", user_id="w_anna")
    world.event("w_both2", "2026-06-01 10:01:00", session_id="s_both", anonymous_id="v_both", user_id="w_ben")
    session("w_denied", "v_denied", user_id="w_ben", permission_state="Denied")
    session("w_denied_later", "v_denied")
    session("w_silent", "v_known", permission_state=None)
    session("w_untranslated", "v_known", permission_state="abgelehnt")
    world.event(
        "w_asked1", "2026-06-01 10:00:00", session_id="s_asked", anonymous_id="v_known", permission_state="unknown"
    )
    world.event("w_asked2", "2026-06-01 10:01:00", session_id="s_asked", anonymous_id="v_known")
    world.event("w_revoked1", "2026-06-01 10:00:00", session_id="s_revoked", anonymous_id="v_known")
    world.event(
        *("w_revoked2", "2026-06-01 10:01:00"),
        session_id="s_revoked",
        anonymous_id="v_known",
        permission_state="denied",
    )
    # Without sessions of the source's own: two visits of one visitor, and an event of nobody.
    for number, minute in enumerate(("10:00", "10:30", "11:01"), start=1):
        world.event(f"w_visit{number}", f"2026-06-01 {minute}:00", anonymous_id="v_visit")
    world.event("w_alone", None, created_at="2026-06-03")
    world.event("w_timeless", None, session_id="s_timeless")


@pytest.fixture(scope="module")
def sessions(marts: Marts) -> dict[str, dict[str, Any]]:
    """Sessions by the source's id of their first event."""
    found = records(
        marts.settings,
        "select r.source_record_id, s.* from marts.web_sessions as s "
        "join raw.web_events as r on r.record_key = s.session_key",
    )
    return {row["source_record_id"]: row for row in found}


def _full(sessions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    # Two events began it; the lower key stands for it.
    [row] = [sessions[name] for name in ("w_first", "w_twin") if name in sessions]
    return row


def test_a_session_is_one_row_with_its_counts(sessions: dict[str, dict[str, Any]]) -> None:
    row = _full(sessions)
    assert (str(row["started_at"]), str(row["ended_at"])) == ("2026-06-01 10:00:00", "2026-06-01 10:09:00")
    counts = [row[f"{name}_count"] for name in ("event", "page_view", "product_event")]
    assert (counts, row["has_order"], row["customer_id"]) == ([4, 2, 1], True, "c_w_anna")
    assert sessions["w_login"]["has_order"] is False


def test_a_session_says_where_its_first_event_came_from(sessions: dict[str, dict[str, Any]]) -> None:
    row = _full(sessions)
    found = [row[f"entry_utm_{part}"] for part in ("source", "medium", "campaign")]
    assert (found, row["device"], row["country"]) in [
        (["news", "email", "spring"], "mobile", "DE"),
        ([None, None, None], None, None),
    ]
    assert sessions["w_login"]["entry_utm_source"] is None


@pytest.mark.parametrize(
    ("first_event", "customer", "reason"),
    [
        pytest.param("w_login", "c_w_anna", None, id="who logged in"),
        pytest.param("w_before", "c_w_anna", None, id="the same visitor before"),
        pytest.param("w_after", "c_w_anna", None, id="the same visitor after"),
        pytest.param("w_by_email", "c_w_ben", None, id="who left an e-mail address"),
        pytest.param("w_by_shared_email", None, "not_identified", id="an address of two identifies nobody"),
        pytest.param("w_stranger", None, "not_identified", id="a visitor nobody knows"),
        pytest.param("w_shared_anna", "c_w_anna", None, id="a shared device: one"),
        pytest.param("w_shared_ben", "c_w_ben", None, id="a shared device: the other"),
        pytest.param("w_shared_unknown", None, "several_customers", id="a shared device: who did not say"),
        pytest.param("w_both1", None, "several_customers", id="two in one session"),
        pytest.param("w_denied", None, "permission_denied", id="who refused to be tracked"),
        pytest.param("w_denied_later", None, "not_identified", id="a refused session identifies no visitor"),
        pytest.param("w_silent", None, "permission_unknown", id="who was not asked"),
        pytest.param("w_untranslated", None, "permission_denied", id="a word nobody translated is a refusal"),
        pytest.param("w_asked1", "c_w_anna", None, id="who permitted it in the session"),
        pytest.param("w_revoked1", None, "permission_denied", id="who took it back in the session"),
        pytest.param("w_alone", None, "not_identified", id="an event of nobody"),
    ],
)
def test_a_session_belongs_to(
    sessions: dict[str, dict[str, Any]], first_event: str, customer: str | None, reason: str | None
) -> None:
    row = sessions[first_event]
    assert (row["customer_id"], row["unassigned_reason"]) == (customer, reason)


def test_half_an_hour_without_an_event_ends_a_visit(sessions: dict[str, dict[str, Any]]) -> None:
    visits = {name: row["event_count"] for name, row in sessions.items() if name.startswith("w_visit")}
    assert visits == {"w_visit1": 2, "w_visit3": 1}


def test_an_event_without_any_date_is_in_no_session(sessions: dict[str, dict[str, Any]]) -> None:
    assert "w_timeless" not in sessions
    assert str(sessions["w_alone"]["started_at"]) == "2026-06-03 00:00:00"


def test_addresses_of_pages_are_kept_from_the_facts(marts: Marts, sessions: dict[str, dict[str, Any]]) -> None:
    found = records(marts.settings, "select record_key, field from marts.free_texts where entity = 'events'")
    assert [row["record_key"] for row in found] == [_full(sessions)["session_key"]]
    assert found[0]["field"] in {"url", "referrer"}
