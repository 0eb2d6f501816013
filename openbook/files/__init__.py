"""Files in and out: written whole or not at all, and read without running anything."""

from openbook.files.models import load_file, save_model
from openbook.files.plain import from_plain, to_plain
from openbook.files.stored import Stored
from openbook.files.tensors import load_arrays, save_arrays
from openbook.files.whole import require_writable, write_whole

__all__ = [
    "Stored",
    "from_plain",
    "load_arrays",
    "load_file",
    "require_writable",
    "save_arrays",
    "save_model",
    "to_plain",
    "write_whole",
]
