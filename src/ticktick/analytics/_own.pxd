# The types of own.py where it is compiled; what is not named here follows from these.
cimport cython

cdef long long NS_PER_DAY, IST_OFFSET_NS
cdef double _SCORE_LIMIT
cdef double _ROOT_5
cdef double _ROOT_15
cdef double _ROOT_30

@cython.locals(upper=double, lower=double, width=double)
cpdef dict bollinger(values, double close)
cpdef dict keltner(values)
@cython.locals(natr=double, score=double)
cpdef dict momentum(values)
cdef double _score(double moves)

cdef class SessionVwap:
    cdef long long _day_ns
    cdef tuple _sums

    cpdef take(self, bar)
    cpdef peek(self, bar)
    @cython.locals(start_ns=cython.longlong)
    cdef tuple _with(self, bar)


cdef class RelativeVolume:
    cdef object _day
    cdef double _volume
    cdef dict _past
    cdef dict _today

    cpdef update(self, bar)
    cpdef peek(self, bar)
    cdef _close_day(self)
