"""Gunzip what came from outside, with a bound on what it may become."""

import zlib

_GZIP = b"\x1f\x8b"
_LIMIT = 256 * 1024 * 1024


def unzipped(blob: bytes) -> bytes:
    """The content of a gzip file; anything else is returned as it is.

    Raises ValueError if the file is damaged, cut short or unpacks to more than 256 MB.
    """
    if not blob.startswith(_GZIP):
        return blob
    unzip = zlib.decompressobj(wbits=31)
    try:
        content = unzip.decompress(blob, _LIMIT)
    except zlib.error as error:
        raise ValueError(f"damaged gzip file: {error}") from error
    if not unzip.eof:
        raise ValueError("gzip file is cut short or too large")
    return content
