"""Files that appear whole or not at all."""

import os
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path):
    """Yield a temporary path beside ``path``, and rename it to ``path`` if all goes well.

    Whoever reads ``path`` sees the old file or the new one, never half of one. If the
    body fails, the temporary file is removed and the old file stays.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent}")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
