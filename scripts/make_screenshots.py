"""Pictures of the report page for the README, out of a run of the sample project. ``make screenshots`` runs it.

``python scripts/make_screenshots.py RUN_FOLDER`` takes report.html of a run folder.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs/screenshots"
NODE = "model.shop.fct_orders"


def main() -> None:
    """Write the pictures."""
    page_file = Path(sys.argv[1]).resolve() / "report.html"
    browser_file = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_file, args=["--no-sandbox"])
        for name, fragment in (("report", ""), ("node", f"#{NODE}")):
            page = browser.new_page(
                viewport={"width": 1280, "height": 860}, color_scheme="dark" if fragment else "light"
            )
            page.goto(page_file.as_uri() + fragment)
            page.wait_for_timeout(300)
            page.screenshot(path=FOLDER / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
