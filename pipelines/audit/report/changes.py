"""What changed since the published version, and through what: data, configuration, rules, model or software.

Add here another cause that moves figures. It reads manifests and what audits kept; nothing here judges.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.audit.report.words import FIELDS, Text, word
from pipelines.audit.results import UNMET, RuleResult, Verdict, display_rule_id
from pipelines.overrides import FILE

if TYPE_CHECKING:
    from pipelines.audit.details import Details
    from pipelines.audit.history import Audit
    from pipelines.audit.report.facts import Facts
    from pipelines.build import Build
    from pipelines.configuration import Configuration
    from pipelines.settings import Settings

SHOWN = 8  # places of the configuration that are named


@dataclass(frozen=True)
class Cause:
    """One thing that may have moved figures. `kind` is a word of `CAUSES`; `has_changed` is False when it did not."""

    kind: str
    has_changed: bool
    text: Text


@dataclass(frozen=True)
class Moved:
    """A key figure before and now; `before` is None when it was not kept."""

    name: str
    before: float | None
    now: float

    @property
    def change(self) -> float | None:
        return None if self.before is None else self.now - self.before


@dataclass(frozen=True)
class Changes:
    """Since the published version.

    Attributes:
        causes: what may have moved the figures, those that changed first.
        figures: key figures.
        broken, mended: results that are not met any more, and those that are met again.
    """

    causes: Sequence[Cause]
    figures: Sequence[Moved]
    broken: Sequence[RuleResult]
    mended: Sequence[RuleResult]


def find_changes(
    settings: Settings,
    configuration: Configuration,
    build: Build,
    verdict: Verdict,
    details: Details,
    facts: Facts,
    base: Audit | None,
) -> Changes:
    """Compare the build with the version that was published when it was opened; `base` is the audit of that version."""
    manifest = _read_manifest(settings, build.base_version)
    causes = [
        _data(facts),
        _configuration(build, configuration, manifest),
        _rules(verdict, details, base),
        _model(facts, details, base),
        _software(manifest),
    ]
    found = {(r.rule_id, r.object): r for r in verdict.results}
    before = {(r.rule_id, r.object): r for r in details.history.results[base.build_id]} if base else {}
    return Changes(
        causes=sorted((c for c in causes if c), key=lambda c: not c.has_changed),
        figures=[Moved(name, base.figures.get(name) if base else None, now) for name, now in details.figures.items()],
        broken=[r for key, r in found.items() if r.status in UNMET and key in before and not before[key].is_unmet],
        mended=[r for key, r in found.items() if r.status not in UNMET and key in before and before[key].is_unmet],
    )


def _data(facts: Facts) -> Cause | None:
    sources = facts.rows["sources"]
    if not sources:
        return None
    sums = {name: sum(s[name] or 0 for s in sources) for name in ("new", "changed", "deleted")}
    touched = [s["source"] for s in sources if any(s[name] for name in sums)]
    if not touched:
        return Cause("data", False, Text("No source delivered anything new.", "Keine Quelle lieferte etwas Neues."))
    return Cause(
        "data",
        True,
        Text(
            f"{sums['new']:,} records new, {sums['changed']:,} changed, {sums['deleted']:,} deleted, "
            f"from {', '.join(touched)}.",
            f"{_de(sums['new'])} Datensätze neu, {_de(sums['changed'])} geändert, {_de(sums['deleted'])} gelöscht, "
            f"aus {', '.join(touched)}.",
        ),
    )


def _configuration(build: Build, configuration: Configuration, manifest: Mapping[str, Any]) -> Cause | None:
    if not manifest:
        return None
    if manifest.get("configuration_digest") == build.config_digest:
        return Cause("configuration", False, Text("The same configuration.", "Dieselbe Konfiguration."))
    now = json.loads(json.dumps(configuration.as_dict(), default=str))
    differing = differing_places(manifest.get("configuration", {}), now)
    places = list(dict.fromkeys(FILE if place.startswith("overrides.") else place for place in differing))
    shown = ", ".join(places[:SHOWN]) or "config/"
    more = len(places) - SHOWN
    return Cause(
        "configuration",
        True,
        Text(
            f"Other settings in {shown}" + (f" and {more} more places." if more > 0 else "."),
            f"Andere Angaben in {shown}" + (f" und {more} weiteren Stellen." if more > 0 else "."),
        ),
    )


def differing_places(before: Any, now: Any, path: str = "") -> Iterator[str]:
    """Where two trees of plain data differ, as paths; never the values. Entries of lists go by their name."""
    if isinstance(before, list) and isinstance(now, list):
        before, now = _by_name(before), _by_name(now)
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}, key=str):
            yield from differing_places(before.get(key), now.get(key), f"{path}.{key}" if path else str(key))
    elif before != now:
        yield path


def _by_name(entries: Sequence[Any]) -> dict[str, Any]:
    named = [str(e["name"]) if isinstance(e, dict) and "name" in e else str(i) for i, e in enumerate(entries)]
    return dict(zip(named, entries, strict=True))


def _rules(verdict: Verdict, details: Details, base: Audit | None) -> Cause | None:
    if base is None:
        return None
    before = {r.rule_id for r in details.history.results[base.build_id]}
    now = {r.rule_id for r in verdict.results}
    added, gone = [sorted(map(display_rule_id, ids)) for ids in (now - before, before - now)]
    if not added and not gone:
        return Cause("rules", False, Text(f"The same {len(now)} rules.", f"Dieselben {len(now)} Regeln."))
    return Cause(
        "rules",
        True,
        Text(
            " ".join(f"{what}: {_listed(ids)}." for what, ids in (("New", added), ("Gone", gone)) if ids),
            " ".join(f"{what}: {_listed(ids)}." for what, ids in (("Neu", added), ("Entfallen", gone)) if ids),
        ),
    )


def _model(facts: Facts, details: Details, base: Audit | None) -> Cause | None:
    if base is None:
        return None
    drifted = tell_drift(facts.rows["drifted"])
    now = details.history.audits[-1].model_version
    if now != base.model_version:
        return Cause(
            "model",
            True,
            Text(
                f"Another model weighs pairs: it was learned anew{drifted.en and f', because {drifted.en}'}.",
                f"Ein anderes Modell wiegt Paare: neu gelernt{drifted.de and f', denn {drifted.de}'}.",
            ),
        )
    return Cause(
        "model",
        False,
        Text(
            f"The same model weighs pairs{drifted.en and f', although {drifted.en}'}.",
            f"Dasselbe Modell wiegt Paare{drifted.de and f', obwohl: {drifted.de}'}.",
        ),
    )


def tell_drift(drifted: Sequence[Mapping[str, Any]]) -> Text:
    """In what the data is no longer like that the model was learned from; empty where it is."""
    told = []
    for figure in drifted:
        before, now = figure["learned"], figure["observed"]
        if figure["field"] is None:
            english = f"the number of {figure['figure']} went from {before:,.0f} to {now:,.0f}"
            told.append(Text(english, f"Profile waren {_de(round(before))} und sind {_de(round(now))}"))
            continue
        field, what = word(FIELDS, figure["field"]), figure["figure"]
        english = f"{what} ({field.en}) went from {before:.2f} to {now:.2f}"
        told.append(Text(english, f"{_DRIFT_DE.get(what, what)} ({field.de}) war {before:.2f} und ist {now:.2f}"))
    return Text("; ".join(t.en for t in told), "; ".join(t.de for t in told))


_DRIFT_DE = {
    "share of profiles that have it": "Anteil der Profile, die es haben",
    "agreement of one person's records": "Übereinstimmung der Datensätze einer Person",
}


def _software(manifest: Mapping[str, Any]) -> Cause | None:
    from pipelines.publish.assemble import software_versions

    if not manifest:
        return None
    before, now = manifest.get("software", {}), software_versions()
    other = [f"{name} {before[name]} → {now[name]}" for name in sorted(now) if before.get(name, now[name]) != now[name]]
    if not other:
        return Cause("software", False, Text("The same programs.", "Dieselben Programme."))
    return Cause("software", True, Text(", ".join(other), ", ".join(other)))


def _read_manifest(settings: Settings, version: str | None) -> Mapping[str, Any]:
    """What the published version says of itself; empty when there is none, or it was removed meanwhile."""
    if version is None:
        return {}
    try:
        text = (settings.versions_dir / version / "manifest.json").read_text(encoding="utf-8")
        manifest: dict[str, Any] = json.loads(text)
    except (OSError, ValueError):
        return {}
    return manifest


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" + {len(names) - SHOWN}" if len(names) > SHOWN else "")


def _de(number: int) -> str:
    return f"{number:,}".replace(",", ".")
