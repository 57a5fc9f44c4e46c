"""Columns as bytes, between Node and Python: no JSON for columns that numpy can hold.

A column is `{"name", "kind", "bytes"}` in the header, and in the body, one after the other:

- f8: float64 little-endian, NaN = missing
- bool: one byte a row, 2 = missing
- text: one byte a row (1 = missing), uint32 offsets (rows + 1), UTF-8
- words: uint32 number of words, int32 a row (-1 = missing), the words as text: for text that repeats
- json: a JSON list of cells, for columns that mix types
"""

import json
import math
import struct
import sys


# Below so many rows a table of words saves nothing.
MIN_WORD_ROWS = 32


class Words:
    """Text with few different values: `codes` (int32 array, -1 = missing) into `words`."""

    def __init__(self, codes, words):
        self.codes = codes
        self.words = words

    def tolist(self):
        words = self.words + [None]
        return [words[code] for code in self.codes.tolist()]


def decode_columns(header, body):
    """The columns of a message as [(name, kind, values)]: numpy arrays and Words where numpy is there, else lists."""
    rows = header["rowCount"]
    columns = []
    at = 0
    for column in header["columns"]:
        size = column["bytes"]
        columns.append((column["name"], column["kind"], _DECODERS[column["kind"]](body, at, size, rows)))
        at += size
    return columns


def _decode_f8(body, at, size, rows):
    try:
        import numpy
    except ImportError:
        return list(struct.unpack_from("<%dd" % rows, body, at))
    # A copy: user code may write into its frame, and the buffer is not aligned.
    return numpy.frombuffer(body, dtype="<f8", count=rows, offset=at).astype("float64")


def _decode_bool(body, at, size, rows):
    cells = (False, True, None)
    return [cells[b] for b in body[at : at + rows]]


def _decode_text(body, at, size, rows):
    missing = body[at : at + rows]
    offsets = struct.unpack_from("<%dI" % (rows + 1), body, at + rows)
    start = at + rows + 4 * (rows + 1)
    text = bytes(body[start : at + size])
    return [
        None if missing[i] else text[offsets[i] : offsets[i + 1]].decode("utf-8") for i in range(rows)
    ]


def _decode_words(body, at, size, rows):
    count = struct.unpack_from("<I", body, at)[0]
    table = at + 4 + 4 * rows
    words = _decode_text(body, table, size - (table - at), count)
    try:
        import numpy
    except ImportError:
        words.append(None)
        return [words[code] for code in struct.unpack_from("<%di" % rows, body, at + 4)]
    return Words(numpy.frombuffer(body, dtype="<i4", count=rows, offset=at + 4).astype("int32"), words)


def _decode_json(body, at, size, rows):
    return json.loads(bytes(body[at : at + size]).decode("utf-8"))


_DECODERS = {"f8": _decode_f8, "bool": _decode_bool, "text": _decode_text, "words": _decode_words, "json": _decode_json}


def encode_columns(columns):
    """[(name, cells)] as (header entries, body parts). Cells are float64 arrays, Words, or lists of None, bool, number and str."""
    entries = []
    parts = []
    for name, cells in columns:
        kind, data = _encode(cells)
        entries.append({"name": name, "kind": kind, "bytes": len(data)})
        parts.append(data)
    return entries, parts


def _encode(cells):
    if hasattr(cells, "tobytes"):
        return "f8", cells.astype("<f8").tobytes()
    if isinstance(cells, Words):
        head = struct.pack("<I", len(cells.words)) + cells.codes.astype("<i4").tobytes()
        return "words", head + _encode_text(cells.words)
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {int, float}:
        return "f8", struct.pack("<%dd" % len(cells), *(math.nan if c is None else float(c) for c in cells))
    if kinds == {bool}:
        return "bool", bytes(2 if c is None else int(c) for c in cells)
    if kinds == {str}:
        return "text", _encode_text(cells)
    return "json", json.dumps(cells).encode("utf-8")


def _encode_text(cells):
    encoded = [b"" if c is None else c.encode("utf-8") for c in cells]
    offsets = [0]
    for text in encoded:
        offsets.append(offsets[-1] + len(text))
    missing = bytes(1 if c is None else 0 for c in cells)
    return missing + struct.pack("<%dI" % len(offsets), *offsets) + b"".join(encoded)


def to_cells(values):
    """Any column of a result as float64 array (numbers) or a list of cells."""
    kind = getattr(getattr(values, "dtype", None), "kind", None)
    if isinstance(kind, str) and kind in "iuf" and not _is_nullable(values):
        import numpy

        return numpy.asarray(values, dtype="float64")
    if kind == "M":
        import numpy

        stamps = numpy.asarray(values, dtype="datetime64[ms]")
        return numpy.where(numpy.isnat(stamps), math.nan, stamps.astype("int64").astype("float64"))
    cells = [_cell(value) for value in (values.tolist() if hasattr(values, "tolist") else values)]
    if cells and all(c is None or type(c) is float for c in cells):
        try:
            import numpy

            return numpy.array([math.nan if c is None else c for c in cells], dtype="float64")
        except ImportError:
            pass
    return cells


def to_column(values):
    """Like to_cells, but a pandas column of text that repeats stays Words, which cost nothing a row."""
    return _to_words(values) or to_cells(values)


def _to_words(values):
    """None where it is no text, or most of it differs."""
    pandas = sys.modules.get("pandas")
    rows = len(values)
    if pandas is None or rows < MIN_WORD_ROWS or not isinstance(values, pandas.Series):
        return None
    if not (pandas.api.types.is_string_dtype(values.dtype) or values.dtype == object):
        return None
    try:
        codes, words = pandas.factorize(values)
    except TypeError:
        return None
    words = list(words)
    if not words or 2 * len(words) > rows or not all(isinstance(word, str) for word in words):
        return None
    return Words(codes, words)


def _is_nullable(values):
    """pandas' own integer types hold NA, which numpy cannot."""
    return type(values.dtype).__module__.startswith("pandas.") and bool(values.isna().any())


def _cell(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if hasattr(value, "item"):
        value = value.item()
        if value is None or isinstance(value, (bool, str)):
            return value
    if isinstance(value, int):
        return float(value) if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if hasattr(value, "isoformat"):
        text = value.isoformat()
        return None if text == "NaT" else text
    if type(value).__name__ == "NAType":
        return None
    return str(value)
