# The types of skim.py where it is compiled; what is not named here follows from these.
cimport cython

cdef long long NOT_SEEN
cdef int _TIME_TAG, _LONGEST

@cython.locals(
    at=Py_ssize_t, end=Py_ssize_t, told=cython.longlong, tag=int, kind=int,
    number=cython.longlong, length=int, byte=cython.longlong,
)
cpdef long long sent_ms(const unsigned char[:] data) noexcept nogil
