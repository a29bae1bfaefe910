"""What axe-core says about a page: https://github.com/dequelabs/axe-core."""

import json
from pathlib import Path

from playwright.sync_api import Page

SCRIPT = Path(__file__).parents[1] / "node_modules/axe-core/axe.min.js"
SERIOUS = ("serious", "critical")
# It would otherwise fetch style sheets, and a page must not fetch anything.
_RUN = "async () => (await axe.run({preload: false, resultTypes: ['violations']})).violations"


def serious_violations(page: Page) -> list[str]:
    """The serious and critical findings, each with its rule and every place on the page."""
    # What is evaluated from outside the page is not held to the policy of the page.
    page.evaluate(SCRIPT.read_text("utf-8"))
    violations = page.evaluate(_RUN)
    return [
        f"{found['id']} ({found['impact']}): {found['help']} at {json.dumps(node['target'])}: {node['html']}"
        for found in violations
        if found["impact"] in SERIOUS
        for node in found["nodes"]
    ]
