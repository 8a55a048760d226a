"""Medians over rounds, as Markdown."""
import json
import statistics


class Results:
    """results[scenario][row] is a list of measurements (dicts), one per round; each is also written to a file as it comes."""

    def __init__(self, path=None):
        self.rows, self.notes, self.file = {}, {}, open(path, "a", encoding="utf-8") if path else None

    def add(self, scenario, row, found):
        self.rows.setdefault(scenario, {}).setdefault(row, []).append(found)
        if self.file:
            self.file.write(json.dumps({"scenario": scenario, "row": row, **found}) + "\n")
            self.file.flush()

    def note(self, scenario, text):
        """something to be told below the table of the scenario, once"""
        self.notes.setdefault(scenario, {})[text] = True

    def report_notes(self, scenario):
        for text in self.notes.get(scenario, {}):
            print(f"\n{text}")

    def median(self, scenario, row, key):
        """None: nothing was measured"""
        values = [m[key] for m in self.rows.get(scenario, {}).get(row, []) if m.get(key) is not None]
        return statistics.median(values) if values else None

    def spread(self, scenario, row, key):
        """the middle half of the rounds, as part of the median"""
        values = sorted(m[key] for m in self.rows.get(scenario, {}).get(row, []) if m.get(key) is not None)
        if len(values) < 4:
            return None
        low, _, high = statistics.quantiles(values, n=4)
        return (high - low) / statistics.median(values)

    def worst(self, scenario, row, key):
        values = [m[key] for m in self.rows.get(scenario, {}).get(row, []) if m.get(key) is not None]
        return max(values) if values else None


def text(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def table(title, heads, rows):
    print(f"\n### {title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
