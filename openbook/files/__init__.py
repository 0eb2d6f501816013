"""Files out: replaced whole or not at all."""

from openbook.files.whole import require_writable, write_whole

__all__ = ["require_writable", "write_whole"]
