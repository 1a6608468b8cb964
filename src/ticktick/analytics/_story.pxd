# The types of story.py where it is compiled; what is not named here follows from these.
cimport cython

cdef enum:
    BARS = 5
    AVERAGES = 6
    TRENDS = 6

cdef long long LONGEST, TREND_BARS, _AVERAGES, _KEPT
cdef int _UNKNOWN, _DOWN, _NONE, _UP

cdef class Story:
    cdef str _symbol
    cdef int _minutes
    cdef object _records
    cdef long long _bars
    cdef long long[BARS] _highs
    cdef long long[BARS] _lows
    cdef double[AVERAGES] _averages
    cdef int[TRENDS] _trends
    cdef list _latest

    cpdef begin(self, bar, double average)
    @cython.locals(found=list)
    cpdef take(self, bar, double average, list verdicts)
    cpdef judge(self, bar)
    @cython.locals(number=cython.longlong, before=double, trend=cython.int)
    cdef void _note(self, long long high, long long low, long long close, double average)
    @cython.locals(direction=cython.int, top=cython.longlong, bottom=cython.longlong, case=cython.longlong)
    cdef _pattern(self, bar, int place, double value)
    @cython.locals(top=cython.longlong, number=cython.longlong)
    cdef long long _top(self, long long bars)
    @cython.locals(bottom=cython.longlong, number=cython.longlong)
    cdef long long _bottom(self, long long bars)
    @cython.locals(number=cython.longlong)
    cdef int _trend_before(self, long long bars)


cpdef long long case_of(long long place, long long direction)
cpdef int direction_of(shape, double value)
@cython.locals(is_beyond=bint)
cdef _confirmed(pattern, long long close)
@cython.locals(
    opened=cython.longlong, body=cython.longlong, lower=cython.longlong, shadow=cython.longlong
)
cdef tuple _textbook(shape, bar)
cdef _in_context(shape, int direction, trend)
