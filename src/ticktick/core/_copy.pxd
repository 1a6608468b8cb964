# The types of copy.py where it is compiled; what is not named here follows from these.
cdef Py_ssize_t TOLD_LEVELS
cdef long long USUAL_LEVELS

cpdef void copy_rows(
    const int[:] rows,
    const long long[:, ::1] source,
    long long[:, ::1] target,
    const long long[:, ::1] deep_source,
    long long[:, ::1] deep_target,
) noexcept nogil

cdef inline void _copy_row(
    Py_ssize_t row, const long long[:, ::1] source, long long[:, ::1] target
) noexcept nogil
