"""What tests of grading share."""

import pytest

from rnnlib.grading import submission


@pytest.fixture
def no_kernel(monkeypatch):
    """Kernels compute a lab's values; here nobody looks at them."""

    def with_seed(path, seed):
        return path.read_text(encoding="utf-8") + " " * seed

    monkeypatch.setattr(submission.release, "with_seed", with_seed)
