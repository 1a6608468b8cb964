"""When a frame was sent, by its outermost fields alone.

Compiled where there is a compiler; the plain file does the same.
"""

NOT_SEEN = -1
_TIME_TAG = 0x18  # currentTs = 3, a varint
_LONGEST = 9  # bytes of a varint that is no negative number


def sent_ms(data: bytes) -> int:
    """The feed's own time of a frame, NOT_SEEN where only a whole reading can tell.

    A frame that protobuf can read has exactly this time; whether it can, this does not say.
    """
    at = 0
    end = len(data)
    told = NOT_SEEN
    while at < end:
        tag = data[at]
        kind = tag & 7
        if tag < 8 or tag > 127 or (kind != 0 and kind != 2):
            return NOT_SEEN
        at += 1
        number = 0
        length = 0
        while length < _LONGEST and at < end and data[at] > 127:
            byte = data[at]
            number |= (byte & 127) << 7 * length
            length += 1
            at += 1
        if length == _LONGEST or at == end:
            return NOT_SEEN
        byte = data[at]
        number |= byte << 7 * length
        at += 1
        if kind == 2:
            if number > end - at:
                return NOT_SEEN
            at += number
        elif tag == _TIME_TAG:
            told = number
    return told
