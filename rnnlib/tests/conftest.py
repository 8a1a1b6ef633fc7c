"""Settings for all tests: what a machine has set counts for nothing, and no test is skipped in CI."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("rnnlib.tests.grading.classes")
settings.register_profile("rnnlib", deadline=None)  # a shared machine may pause at any time
settings.load_profile("rnnlib")

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"  # every server of a test is on this machine


@pytest.fixture(scope="session")
def book():
    """The folder of the built book."""
    if not (HTML / "index.html").is_file():
        pytest.skip("the book is not built: run jupyter-book build . first")
    return HTML


@pytest.fixture(scope="module")
def browser(book):
    """Chromium, driven by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, book):
    """Open a page from its file, with every other host blocked; fail on what it tried to reach."""
    asked, contexts = [], []

    def open_page(path, **settings):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        contexts.append(context)

        def decide(route):
            url = route.request.url
            if url.startswith(("file:", "data:")):
                route.continue_()
            else:
                asked.append(url)
                route.abort()

        context.route("**/*", decide)
        page = context.new_page()
        page.errors, page.loaded = [], set()
        page.on("requestfinished", lambda request: page.loaded.add(request.url))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("console", lambda m: page.errors.append(m.text) if m.type == "error" else None)
        page.goto((book / path).as_uri())
        page.wait_for_load_state("networkidle")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert asked == []


@pytest.fixture
def stopped(visit):
    """Open a page whose clock stands still: a slow machine has as much time as a fast one."""

    def open_page(path, **settings):
        page = visit(path, **settings)
        page.clock.install()
        page.reload()
        page.clock.pause_at(page.evaluate("Date.now()") + 60_000)
        return page

    return open_page


@pytest.fixture
def ctrl_c():
    """Ctrl-C reaches what a test starts, also where a shell's ``pytest &`` let it be ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _after_a_skip(report):
    """RNNLIB_SKIPPED names a file that gets the names of skipped tests; RNNLIB_CI=1 fails them."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return report
    if path := os.environ.get("RNNLIB_SKIPPED"):
        with open(path, "a", encoding="utf-8") as skipped:
            print(report.nodeid, file=skipped)
    if os.environ.get("RNNLIB_CI"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"RNNLIB_CI=1 allows no skipped test. {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _after_a_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _after_a_skip((yield))
