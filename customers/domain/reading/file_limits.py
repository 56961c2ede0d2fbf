"""How large a file and its parts may be; each refusal says what is too large and how much may be.

Without them a small file can keep a worker for hours: a header of a million columns, a row of a
gigabyte, JSON nested without end, an archive that unpacks to a thousand times its size.
"""

from __future__ import annotations

from typing import Final

MAX_COLUMNS: Final = 2_000
MAX_CELL_CHARS: Final = 131_072
MAX_LINE_CHARS: Final = 1 << 20
# Longer quoted cells are taken for a quotation mark that somebody forgot to close.
MAX_CELL_LINES: Final = 200
MAX_JSON_DEPTH: Final = 20
MAX_ROWS: Final = 20_000_000
# The last row that Excel knows.
MAX_SHEET_ROWS: Final = 1_048_576
MAX_UNPACKED_BYTES: Final = 4 << 30
# What a workbook holds in memory whole: the texts of its cells, and its styles.
MAX_XML_PART_BYTES: Final = 256 << 20
# More rows than this with an open quotation mark are a file that was not written as CSV.
MAX_OPEN_QUOTES: Final = 1_000
# Rows that cannot be read are refused one by one up to this share of the file, and a few in any.
MAX_UNREADABLE_SHARE: Final = 0.01
FEW_UNREADABLE: Final = 3
# Cells of a row that is refused are kept for repair up to this length each.
KEPT_CHARS: Final = 1_000
