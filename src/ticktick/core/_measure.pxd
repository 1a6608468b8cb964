# The types of measure.py where it is compiled; its steps call each other in C.
cimport cython

from ticktick.core cimport _flow as flow
from ticktick.core cimport _moments as moments
from ticktick.core cimport _prints as prints
from ticktick.core cimport _quotes as quotes
from ticktick.core cimport _signed as signed
from ticktick.core cimport _ticks as ticks
from ticktick.core cimport _trade as trade
from ticktick.core cimport _vwap as vwap


@cython.final
cdef class Gauge:
    cdef readonly long long traded, falls
    cdef const long long[:, :] _words, _deep
    cdef const unsigned char[:] _has_volume, _continuous, _untraded
    cdef const double[:] _weights
    cdef const long long[:] _tick_size, _price_scale, _spans_ns
    cdef long long _vwap_ns
    cdef double[:, :] _values, _mids, _squares
    cdef long long[:] _base_price, _base_trade_ns, _base_volume, _suspect_volume
    cdef long long[:] _previous_price, _volume_delta, _direction, _signed, _started_ns
    cdef long long[:] _tick_head, _tick_count
    cdef unsigned char[:] _has_traded
    cdef long long[:, :] _day, _flow, _moments
    cdef long long[:, :, :] _ticks, _trades, _changes, _waiting

    cpdef void take(self, const int[:] rows, long long now_ns) noexcept nogil
    cpdef void requote(self, const int[:] rows, long long at_ns) noexcept nogil
    cpdef void expire(
        self, const int[:] rows, long long now_ns, long long settled_ns
    ) noexcept nogil
    cdef void _quote(self, const int[:] rows) noexcept nogil
    cdef void _follow(
        self, const int[:] rows, long long now_ns, const unsigned char[:] traded
    ) noexcept nogil
    cdef void _settle(self, const int[:] rows, long long until_ns) noexcept nogil
