"""Hashes and samples in the words of Redis, from columns, without an object for each row.

Compiled where there is a compiler; the plain file does the same.
"""

from ticktick.core.columns import Flags, Floats, Ints

# how a field is written: a whole number, price units as rupees, a number as it is; from WORD on
# one of some words
WHOLE, UNITS, NUMBER, WORD = range(4)

MOST_EXACT = 1e15  # below it Python writes a quotient with no more digits than it has
NUMBER_BYTES = 40  # no number takes more, with its length


def write_hashes(
    values: Floats,
    wholes: Ints,
    kinds: Flags,
    scales: Ints,
    names: Flags,
    name_ends: Ints,
    words: Flags,
    word_ends: Ints,
    first_words: Ints,
    keys: Flags,
    key_ends: Ints,
    out: Flags,
    ends: Ints,
) -> None:
    """Write for each row the commands that make its hash hold exactly the known fields.

    values: float64[fields, rows], NaN = not known; at least one field is. `wholes` are the same
    without their fractions, int64. `kinds` is uint8[fields],
    `scales` int64[rows] the price units of a rupee. `names`, `words` and `keys` are bulk strings
    one after the other; the n-th ends at `name_ends[n]` and so on. `first_words[field]` is where
    the words of a field of kind WORD begin among all.
    Writes to `out` an HDEL of what is not known, if anything, and an HSET of what is, row after
    row; the n-th row ends at `ends[n]`.
    """
    at = 0
    fields = values.shape[0]
    for row in range(values.shape[1]):
        known = 0
        for field in range(fields):
            if values[field, row] == values[field, row]:
                known += 1
        key_begin = key_ends[row - 1] if row > 0 else 0
        if known < fields:
            at = _head(out, at, 2 + fields - known, 72, 68, 69, 76)  # HDEL
            at = _copy(keys, key_begin, key_ends[row], out, at)
            for field in range(fields):
                if values[field, row] != values[field, row]:
                    begin = name_ends[field - 1] if field > 0 else 0
                    at = _copy(names, begin, name_ends[field], out, at)
        at = _head(out, at, 2 + 2 * known, 72, 83, 69, 84)  # HSET
        at = _copy(keys, key_begin, key_ends[row], out, at)
        for field in range(fields):
            value = values[field, row]
            if value != value:
                continue
            begin = name_ends[field - 1] if field > 0 else 0
            at = _copy(names, begin, name_ends[field], out, at)
            if kinds[field] == WORD:
                word = first_words[field] + wholes[field, row]
                begin = word_ends[word - 1] if word > 0 else 0
                at = _copy(words, begin, word_ends[word], out, at)
            else:
                at = _number(value, wholes[field, row], kinds[field], scales[row], out, at)
        ends[row] = at


def write_samples(
    values: Floats,
    wholes: Ints,
    kinds: Flags,
    scales: Ints,
    times: Ints,
    places: Ints,
    keys: Flags,
    key_ends: Ints,
    out: Flags,
    ends: Ints,
) -> None:
    """Write for each row the key, the time and the value of every known field, as bulk strings.

    values, wholes, kinds and scales as of `write_hashes`, without words; int64[rows] `times`, in
    milliseconds. `keys` are bulk strings one after the other, the n-th ends at `key_ends[n]`; the
    first of a row's, in the order of the fields, is number `places[row] * fields`.
    Writes to `out`; the n-th row ends at `ends[n]`.
    """
    at = 0
    fields = values.shape[0]
    for row in range(values.shape[1]):
        for field in range(fields):
            value = values[field, row]
            if value != value:
                continue
            key = places[row] * fields + field
            begin = key_ends[key - 1] if key > 0 else 0
            at = _copy(keys, begin, key_ends[key], out, at)
            at = _decimal(times[row], 1, out, at)
            at = _number(value, wholes[field, row], kinds[field], scales[row], out, at)
        ends[row] = at


def _number(value: float, whole: int, kind: int, scale: int, out: Flags, at: int) -> int:
    """A value of any kind but WORD."""
    if kind == WHOLE:
        return _decimal(whole, 1, out, at)
    if kind == NUMBER:
        return _text(value, out, at)
    if _is_exact(value, whole, scale):
        return _decimal(whole, scale, out, at)
    return _text(value / scale, out, at)


def _is_exact(value: float, whole: int, scale: int) -> bool:
    """Whether price units are a short decimal in rupees: whole, and of a decimal scale."""
    is_decimal = scale == 1 or scale == 10 or scale == 100 or scale == 1000 or scale == 10000
    return is_decimal and -MOST_EXACT < value < MOST_EXACT and value == whole


def _head(out: Flags, at: int, count: int, a: int, b: int, c: int, d: int) -> int:
    """The begin of a command of so many words, the first of which has four letters."""
    out[at] = 42  # *
    at = _digits(count, out, at + 1)
    at = _end(out, at)
    out[at] = 36  # $
    out[at + 1] = 52  # 4
    at = _end(out, at + 2)
    out[at] = a
    out[at + 1] = b
    out[at + 2] = c
    out[at + 3] = d
    return _end(out, at + 4)


def _copy(source: Flags, begin: int, end: int, out: Flags, at: int) -> int:
    for place in range(begin, end):
        out[at] = source[place]
        at += 1
    return at


def _text(value: float, out: Flags, at: int) -> int:
    """A number as Python writes it, as a bulk string."""
    text = repr(float(value)).encode()
    out[at] = 36
    at = _digits(len(text), out, at + 1)
    at = _end(out, at)
    for letter in text:
        out[at] = letter
        at += 1
    return _end(out, at)


def _decimal(units: int, scale: int, out: Flags, at: int) -> int:
    """Units over a power of ten as a bulk string; as Python writes the quotient, if scale > 1."""
    negative = 1 if units < 0 else 0
    if units < 0:
        units = -units
    whole = units // scale
    rest = units % scale
    while scale > 10 and rest % 10 == 0:
        rest //= 10
        scale //= 10
    places = _length(scale) - 1  # after the point
    length = negative + _length(whole) + (places + 1 if places > 0 else 0)
    out[at] = 36
    at = _digits(length, out, at + 1)
    at = _end(out, at)
    if negative:
        out[at] = 45
        at += 1
    at = _digits(whole, out, at)
    if places > 0:
        out[at] = 46
        for place in range(places):
            out[at + places - place] = 48 + rest % 10
            rest //= 10
        at += places + 1
    return _end(out, at)


def _length(number: int) -> int:
    length = 1
    while number > 9:
        number //= 10
        length += 1
    return length


def _digits(number: int, out: Flags, at: int) -> int:
    length = _length(number)
    for place in range(length):
        out[at + length - 1 - place] = 48 + number % 10
        number //= 10
    return at + length


def _end(out: Flags, at: int) -> int:
    out[at] = 13
    out[at + 1] = 10
    return at + 2
