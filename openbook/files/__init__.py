"""Files in and out: written whole or not at all, and read without running anything."""

from openbook.files.tensors import load_arrays, save_arrays
from openbook.files.whole import require_writable, write_whole

__all__ = ["load_arrays", "require_writable", "save_arrays", "write_whole"]
