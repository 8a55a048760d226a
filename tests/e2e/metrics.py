"""What a server counts: GET /metrics on its operations listener, read with Prometheus' own parsers."""
import requests
from prometheus_client import parser as old_format
from prometheus_client.openmetrics import parser as openmetrics

from parley import PATIENCE

OPENMETRICS = "application/openmetrics-text"


def answer(server, accept="*/*", path="/metrics"):
    return requests.get(f"http://127.0.0.1:{server.ops_port}{path}", headers={"Accept": accept}, timeout=PATIENCE)


def families(server, accept=OPENMETRICS):
    got = answer(server, accept)
    assert got.status_code == 200, got.text
    assert got.headers["Content-Type"].startswith(accept)
    parser = openmetrics if accept == OPENMETRICS else old_format
    return list(parser.text_string_to_metric_families(got.text))


class Scrape:
    """The samples of one scrape.  scrape["parley_sockets"] is the sum over all labels that match."""

    def __init__(self, server):
        self.samples = [sample for family in families(server) for sample in family.samples]

    def get(self, name, **labels):
        found = [s.value for s in self.samples if s.name == name and labels.items() <= s.labels.items()]
        assert found, f"no {name} {labels}"
        return sum(found)

    __getitem__ = get
