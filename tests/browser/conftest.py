"""A headless Chromium and the pages it opens."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import studies

CHROMIUM = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


@pytest.fixture(scope="session")
def chromium():
    """The browser. Without one the tests are skipped, unless REGATLAS_TEST_BROWSER says that they must run."""
    from playwright import sync_api

    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        said = f"no browser: install one of {', '.join(CHROMIUM[:-1])} (tests/browser/install.sh does), or set CHROMIUM"
        (pytest.fail if os.environ.get("REGATLAS_TEST_BROWSER") else pytest.skip)(said)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium) -> Iterator[Callable]:
    """Opens a page and waits until it is ready; in the end nothing may have been said or fetched."""
    said, contexts = [], []

    def open_(path: Path, address: str = "", width: int = 1280, height: int = 900, script: bool = True, **options):
        size = {"width": width, "height": height}
        context = chromium.new_context(viewport=size, java_script_enabled=script, offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        own = f"file://{path}"
        page.on("request", lambda asked: said.append(asked.url) if not asked.url.startswith((own, "data:")) else None)
        page.goto(own + address)
        if script and page.locator("#sprite").count():
            page.wait_for_selector(".viewer canvas")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture(scope="session")
def study(tmp_path_factory) -> Path:
    """The page of ten methods and six seeds; six labels are hostile, two methods have a grid, one no finished run."""
    folder = tmp_path_factory.mktemp("study")
    return studies.make(folder, studies.LABELS, range(6), grid={"m1": [0.1, 1.0], "long": [0.5, 2.0]}, lost=("m3",))


@pytest.fixture(scope="session")
def post(tmp_path_factory) -> Path:
    """The page that tells the post's story and shows its claims."""
    methods = ("none", "dropout", "gaussian", "l2", "weight_norm", "other")
    labels = {name: f"The {name}" for name in methods} | {"l2": studies.HOSTILE["markup"]}
    return studies.make(tmp_path_factory.mktemp("post"), labels, range(6), claims=studies.claims())


@pytest.fixture(scope="session")
def large(tmp_path_factory) -> Path:
    """The page of 25 methods and 10 seeds."""
    return studies.make(tmp_path_factory.mktemp("large"), {f"m{i}": f"Method {i}" for i in range(25)}, range(10))


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Path:
    """The page of two methods with a hidden layer and three seeds: too few for the sign-flip test."""
    return studies.make(tmp_path_factory.mktemp("small"), {"none": "Plain", "l2": "L2"}, range(3), hidden=True)
