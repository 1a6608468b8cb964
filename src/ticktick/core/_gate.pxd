# The types of gate.py where it is compiled; its steps call each other in C.
cimport cython

from ticktick.core cimport _copy as copy
from ticktick.core cimport _screen as screen


@cython.final
cdef class Gate:
    cdef const long long[:, ::1] _incoming, _incoming_deep
    cdef long long[:, ::1] _known, _known_deep
    cdef const unsigned char[:] _continuous, _is_option
    cdef const long long[:] _tick_size, _band_low, _band_high
    cdef long long[:] _suspect_price, _suspect_close, _values
    cdef unsigned char[:] _verdicts
    cdef int[:] _good, _news, _bad

    @cython.locals(good=Py_ssize_t, news=Py_ssize_t, bad=Py_ssize_t, verdict=cython.uchar)
    cpdef (Py_ssize_t, Py_ssize_t) take(
        self, const int[:] rows, long long received_ns, long long latest_ns
    ) noexcept nogil
