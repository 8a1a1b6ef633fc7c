"""Settings for all tests: what a machine has set counts for nothing, and no test is skipped in CI."""

import os
import signal

import pytest
from hypothesis import settings

settings.register_profile("rnnlib", deadline=None)  # a shared machine may pause at any time
settings.load_profile("rnnlib")

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"  # every server of a test is on this machine


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
