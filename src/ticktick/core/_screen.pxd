# The types of screen.py where it is compiled; what is not named here follows from these.
cimport cython

from ticktick.core cimport _numbers as numbers

cdef long long NS_PER_S
cdef unsigned char CHANGED, REPEATED, AHEAD, OTHER_DAY, OLDER, TRADE_AHEAD, OUT_OF_BAND, JUMPED
cdef long long TRADE_AHEAD_LIMIT_NS, JUMP_NS, JUMP_WITHOUT_BAND_NS, JUMP_TICKS
cdef Py_ssize_t EXCHANGE, LAST_PRICE, LAST_TRADE, CLOSE, FIRST_TOLD
cdef Py_ssize_t DAY, DAY_END, MINUTE, MINUTE_OPEN, MINUTE_END, BID, ASK, AUCTION, AUCTION_END
cdef Py_ssize_t TOLD_LEVELS, DEEP_BID, DEEP_ASK
cdef long long USUAL_LEVELS, BEHIND

@cython.locals(
    is_contradicted=bint, has_jumped=bint, is_same_day=bint, has_leapt=bint, is_news=bint
)
cpdef void screen(
    const int[:] rows,
    long long received_ns,
    long long latest_ns,
    const long long[:, ::1] incoming,
    const long long[:, ::1] known,
    const long long[:, ::1] incoming_deep,
    const long long[:, ::1] known_deep,
    const unsigned char[:] continuous,
    const unsigned char[:] is_option,
    const long long[:] tick_size,
    const long long[:] band_low,
    const long long[:] band_high,
    long long[:] suspect_price,
    long long[:] suspect_close,
    unsigned char[:] verdicts,
    long long[:] values,
) noexcept nogil

@cython.locals(has_traded=bint, found=cython.longlong)
cdef long long _outside(
    int row,
    const long long[:, ::1] incoming,
    const long long[:, ::1] known,
    const long long[:, ::1] incoming_deep,
    const long long[:, ::1] known_deep,
    long long day,
    unsigned char continuous,
    unsigned char is_option,
    long long low,
    long long high,
) noexcept nogil

cdef long long _beyond(
    int row,
    const long long[:, ::1] incoming,
    const long long[:, ::1] known,
    Py_ssize_t begin,
    Py_ssize_t end,
    long long low,
    long long high,
    long long found,
) noexcept nogil

cdef bint _differs(
    int row, const long long[:, ::1] incoming, const long long[:, ::1] known, Py_ssize_t begin
) noexcept nogil

cdef bint _is_alone(int row, long long price, long long[:] suspects) noexcept nogil

cdef bint _jumped(long long before, long long price, long long tick_size) noexcept nogil
