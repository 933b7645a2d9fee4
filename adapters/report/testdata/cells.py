"""Prints every cell of a workbook as a line of JSON, in the way that openpyxl understands it. The cells are read as a stream."""

import datetime
import json
import sys

import openpyxl
from openpyxl.utils.escape import unescape  # of _x000D_ and the like, which openpyxl leaves to its callers

KINDS = {"s": "text", "inlineStr": "text", "n": "number", "d": "number", "f": "formula"}

for sheet, stream in zip(openpyxl.load_workbook(sys.argv[1]), openpyxl.load_workbook(sys.argv[1], read_only=True)):
    print(json.dumps({
        "sheet": sheet.title, "frozen": sheet.freeze_panes, "filter": sheet.auto_filter.ref,
        "dimension": stream.calculate_dimension(),
    }))
    for row in stream.iter_rows():
        for cell in row:
            if cell.value is not None:
                value = cell.value
                if isinstance(value, datetime.datetime):
                    value = value.isoformat(" ", "seconds")
                print(json.dumps({"cell": cell.coordinate, "kind": KINDS.get(cell.data_type, cell.data_type), "value": unescape(str(value))}))
