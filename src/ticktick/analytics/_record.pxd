# The types of record.py where it is compiled; what is not named here follows from these.
cimport cython
from libc cimport math

cdef enum:
    BARS = 10
    SHAPES_TWICE = 54

cdef long long HORIZON_BARS, LEAST_CASES, _CLOSES, _BIT
cdef double _Z95, _SQUARE, _NAN

cdef class Records:
    cdef long long _taken
    cdef double[BARS + 1] _closes
    cdef long long[BARS] _foretold
    cdef int[SHAPES_TWICE] _cases
    cdef int[SHAPES_TWICE] _hits
    cdef long long _moves, _rises, _falls

    @cython.locals(place=cython.longlong, move=double, cases=cython.longlong, case=cython.int)
    cpdef take(self, double close)
    @cython.locals(place=cython.longlong)
    cpdef begin_anew(self)
    @cython.locals(place=cython.longlong)
    cpdef foretell(self, long long case)
    @cython.locals(cases=cython.longlong, hits=cython.longlong, moves=cython.longlong)
    cpdef of(self, long long case)


@cython.locals(
    rate=double, weight=double, middle=double, reach=double, low=double, high=double
)
cpdef tuple wilson(double hits, double cases)
