# The types of signed.py where it is compiled; what is not named here follows from these.
cdef Py_ssize_t LAST_PRICE, TRADE_SIGN

cpdef void add_signed_values(
    const int[:] rows,
    const unsigned char[:] traded,
    const long long[:] volume_delta,
    const long long[:, :] words,
    const double[:, :] values,
    long long[:] signed,
) noexcept nogil
