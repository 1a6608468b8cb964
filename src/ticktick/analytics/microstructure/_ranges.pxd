# The types of ranges.py where it is compiled; what is not named here follows from these.
cimport cython
from libc cimport math

cdef Py_ssize_t BARS, LEAST_BARS
cdef double RUPEES_PER_CRORE, _FOUR_LN2, _TWO_LN2_LESS_1

@cython.locals(first=Py_ssize_t, spread=double)
cpdef double parkinson(bars)
@cython.locals(first=Py_ssize_t, spread=double, body=double)
cpdef double garman_klass(bars)
@cython.locals(volume=double, close=double, before=double, price=double, crore=double)
cpdef double amihud(bars, double price_scale)
@cython.locals(high=double, low=double)
cdef double _spread(bar)
@cython.locals(opened=double, close=double)
cdef double _body(bar)
