"""What the tests of data share: prices of a file from its text."""

import pytest

from rnnlib.data import prices


@pytest.fixture
def load(tmp_path):
    """Prices of a file with this text."""

    def load_text(text, name="prices.csv", **options):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return prices.load(source=path, **options)

    return load_text
