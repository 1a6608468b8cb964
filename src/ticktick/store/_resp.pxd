# The types of resp.py where it is compiled; what is not named here follows from these.
cimport cython

cdef unsigned char WHOLE, UNITS, NUMBER, WORD
cdef double MOST_EXACT

@cython.locals(
    at=Py_ssize_t, known=Py_ssize_t, fields=Py_ssize_t, row=Py_ssize_t, field=Py_ssize_t,
    begin=Py_ssize_t, key_begin=Py_ssize_t, word=Py_ssize_t, value=double,
)
cpdef void write_hashes(
    const double[:, :] values,
    const long long[:, :] wholes,
    const unsigned char[:] kinds,
    const long long[:] scales,
    const unsigned char[:] names,
    const long long[:] name_ends,
    const unsigned char[:] words,
    const long long[:] word_ends,
    const long long[:] first_words,
    const unsigned char[:] keys,
    const long long[:] key_ends,
    unsigned char[:] out,
    long long[:] ends,
)

@cython.locals(
    at=Py_ssize_t, fields=Py_ssize_t, row=Py_ssize_t, field=Py_ssize_t, begin=Py_ssize_t,
    key=Py_ssize_t, value=double,
)
cpdef void write_samples(
    const double[:, :] values,
    const long long[:, :] wholes,
    const unsigned char[:] kinds,
    const long long[:] scales,
    const long long[:] times,
    const long long[:] places,
    const unsigned char[:] keys,
    const long long[:] key_ends,
    unsigned char[:] out,
    long long[:] ends,
)

cdef Py_ssize_t _number(
    double value, long long whole, unsigned char kind, long long scale,
    unsigned char[:] out, Py_ssize_t at,
)

@cython.locals(is_decimal=bint)
cdef bint _is_exact(double value, long long whole, long long scale) noexcept nogil

cdef Py_ssize_t _head(
    unsigned char[:] out, Py_ssize_t at, Py_ssize_t count,
    unsigned char a, unsigned char b, unsigned char c, unsigned char d,
) noexcept nogil

@cython.locals(place=Py_ssize_t)
cdef Py_ssize_t _copy(
    const unsigned char[:] source, Py_ssize_t begin, Py_ssize_t end,
    unsigned char[:] out, Py_ssize_t at,
) noexcept nogil

@cython.locals(text=bytes, letter=cython.uchar)
cdef Py_ssize_t _text(double value, unsigned char[:] out, Py_ssize_t at)

@cython.locals(
    negative=cython.longlong, whole=cython.longlong, rest=cython.longlong,
    places=cython.longlong, length=cython.longlong, place=cython.longlong,
)
cdef Py_ssize_t _decimal(
    long long units, long long scale, unsigned char[:] out, Py_ssize_t at
) noexcept nogil

cdef Py_ssize_t _length(long long number) noexcept nogil

@cython.locals(length=Py_ssize_t, place=Py_ssize_t)
cdef Py_ssize_t _digits(long long number, unsigned char[:] out, Py_ssize_t at) noexcept nogil

cdef Py_ssize_t _end(unsigned char[:] out, Py_ssize_t at) noexcept nogil
