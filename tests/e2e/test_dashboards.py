"""docs/grafana/: every metric, label and label value that a panel or an alert names is there in a scrape."""
import json
import re

import pytest

from metrics import families
from parley import ROOT
from redis import Redis, config_with_redis

FOLDER = ROOT / "docs" / "grafana"


def panels():
    return [(panel["title"], target["expr"]) for panel in json.loads((FOLDER / "parley.json").read_text())["panels"]
            for target in panel.get("targets", [])]


def alerts():
    text = (FOLDER / "alerts.yaml").read_text()
    return list(zip(re.findall(r"- alert: (\w+)", text), re.findall(r"^        expr: (.+)$", text, re.M)))


def series_of(expr):
    """(name, {label: value or None}) of every selector; labels that rates are summed by count for all of them"""
    by = {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", expr) for label in group.split(",")}
    for name, selector in re.findall(r"\b(parley_\w+)(\{[^}]*\})?", expr):
        labels = dict.fromkeys(by)
        labels.update(re.findall(r'(\w+)="([^"]*)"', selector))
        yield name, {k: v for k, v in labels.items() if k not in ("instance", "job")}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    from parley import Server
    folder = tmp_path_factory.mktemp("dashboards")
    with Redis(folder / "redis") as redis, Server(folder / "server", config=config_with_redis(), ops=True,
                                                  env={"REDIS_URL": redis.url}) as server:
        return [sample for family in families(server) for sample in family.samples]


@pytest.mark.parametrize("title, expr", panels() + alerts())
def test_what_is_named_is_there(samples, title, expr):
    named = list(series_of(expr))
    assert named or 'up{job="parley"}' in expr
    for name, labels in named:
        assert any(s.name == name and all(k in s.labels and v in (None, s.labels[k]) for k, v in labels.items())
                   for s in samples), f"{title}: no {name} with {labels}"


def test_there_is_something_to_look_at():
    assert len(panels()) > 40 and len(alerts()) == 12
    ids = [panel["id"] for panel in json.loads((FOLDER / "parley.json").read_text())["panels"]]
    assert len(set(ids)) == len(ids)
