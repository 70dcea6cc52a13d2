"""Reads a dashboard by Grafana's own model, and writes its expressions as rules for promtool.

Usage: dashboard.py DASHBOARD RULES
"""

import json
import sys

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

# What Grafana knows and the model of this release does not.
UNMODELLED = {"definition", "textFormat", "titleFormat"}

# What Grafana puts in the place of its variables.
VARIABLES = {
    "$__rate_interval": "1m",
    "$__range": "1h",
    "$job": ".*",
    "$instance": ".*",
}


def lost(before, after, place):
    """The members that the model has no place for."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            if name in after:
                yield from lost(value, after[name], f"{place}.{name}")
            elif name not in UNMODELLED:
                yield f"{place}.{name}"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after)):
            yield from lost(one, other, f"{place}[{index}]")
    elif before != after:
        yield f"{place}: {before!r} is read as {after!r}"


def main(dashboard_file, rules_file):
    with open(dashboard_file, encoding="utf-8") as file:
        dashboard = json.load(file)
    modelled = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(dashboard)))
    faults = list(lost(dashboard, modelled, "dashboard"))
    if faults:
        sys.exit("Grafana's model does not know:\n  " + "\n  ".join(faults))
    targets = [target for panel in dashboard["panels"] for target in panel.get("targets", [])]
    targets += dashboard["annotations"]["list"]
    rules = []
    for number, target in enumerate(targets):
        expression = target["expr"]
        for variable, value in VARIABLES.items():
            expression = expression.replace(variable, value)
        rules.append({"record": f"dashboard:expression:{number}", "expr": expression})
    with open(rules_file, "w", encoding="utf-8") as file:
        json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
    print(f"{len(dashboard['panels'])} panels, {len(rules)} expressions")


main(*sys.argv[1:])
