"""Folders that can be written into, and files that appear whole or not at all."""

import errno
import glob
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil


def ready(folder, name="folder"):
    """Make the folder, and see before the work begins that files can be written into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(f"cannot write into the {name} {folder}: {error.strerror}") from error


@contextmanager
def whole_file(path):
    """Yield a temporary path beside ``path``, and rename it to ``path`` if all goes well.

    Whoever reads ``path`` sees the old file or the new one, never half of one, even if the
    process is killed or the power fails. If the body fails, the temporary file is removed
    and the old file stays. What killed processes have left is removed too.

    Raises:
        OSError: the file cannot be written, such as on a full disk; it names ``path``.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent}")
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        process = left.name.split(".")[-2]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            left.unlink(missing_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())  # on the disk before the old file goes
        os.replace(temporary, path)
    except OSError as error:
        if error.filename not in (None, str(temporary), temporary):
            raise  # another file's trouble
        reason = error.strerror or str(error)
        raise OSError(error.errno or errno.EIO, f"cannot be written: {reason}", str(path)) from error
    finally:
        with suppress(OSError):  # a folder that is gone has nothing to remove
            temporary.unlink(missing_ok=True)
