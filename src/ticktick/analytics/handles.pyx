"""TA-Lib's C library for one line: all its functions moved by one call.

TA-Lib's Python handles take 0.2 us each for a step that takes 0.01 us in C. These open the same
functions of the same library, whose addresses Python looks up, and call them without Python
between. The clear version is PlainHandles of handle.py; both tell the same bits.

Every handle keeps the bars that it looks back on for itself: those of the patterns alone 7.6 KiB
of a line. What a few of the newest bars decide is asked of TA-Lib's plain function instead, over
one window of the line that all such functions share.

TA-Lib puts each handle where memory is free, so that those of three thousand lines lie in no
cache. All of a line are asked for before the first is called: memory that comes together costs
little more than one piece of it.
"""

import ctypes
from array import array

import numpy as np

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize

from libc.math cimport NAN
from libc.stdint cimport uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memmove

from ticktick.analytics.talib import program

ctypedef int (*Close)(void *) noexcept nogil
ctypedef int (*OneOne)(void *, double, double *) noexcept nogil
ctypedef int (*OneThree)(void *, double, double *, double *, double *) noexcept nogil
ctypedef int (*TwoOne)(void *, double, double, double *) noexcept nogil
ctypedef int (*TwoTwo)(void *, double, double, double *, double *) noexcept nogil
ctypedef int (*TwoThree)(void *, double, double, double *, double *, double *) noexcept nogil
ctypedef int (*ThreeOne)(void *, double, double, double, double *) noexcept nogil
ctypedef int (*ThreeTwo)(void *, double, double, double, double *, double *) noexcept nogil
ctypedef int (*ThreeSide)(void *, double, double, double, double *, int *) noexcept nogil
ctypedef int (*FourOne)(void *, double, double, double, double, double *) noexcept nogil
ctypedef int (*FourVerdict)(void *, double, double, double, double, int *) noexcept nogil

# the plain functions: first and last place, inputs, parameters, place and count of outputs, outputs
ctypedef const double *In
ctypedef int (*OverOneOne)(int, int, In, int, int *, int *, double *) noexcept nogil
ctypedef int (*OverTwoTwo)(int, int, In, In, int, int *, int *, double *, double *) noexcept nogil
ctypedef int (*OverTwoThree)(
    int, int, In, In, int, int *, int *, double *, double *, double *
) noexcept nogil
ctypedef int (*OverThreeOne)(int, int, In, In, In, int, int *, int *, double *) noexcept nogil
ctypedef int (*OverVerdict)(int, int, In, In, In, In, int *, int *, int *) noexcept nogil
ctypedef int (*OverVerdictBy)(int, int, In, In, In, In, double, int *, int *, int *) noexcept nogil

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define ask_for(memory) __builtin_prefetch(memory)
    #else
    #define ask_for(memory) ((void) (memory))
    #endif
    """
    void ask_for(const void *memory) noexcept nogil

cdef enum:
    MOST_INPUTS = 4
    FIELDS = 5
    CACHE_LINE = 64

_KINDS = {
    (1, "d"): 0,
    (1, "ddd"): 1,
    (2, "d"): 2,
    (2, "dd"): 3,
    (2, "ddd"): 4,
    (3, "d"): 5,
    (3, "dd"): 6,
    (3, "di"): 7,
    (4, "d"): 8,
    (4, "i"): 9,
}

_OVER_KINDS = {
    (1, "d", 1): 0,
    (2, "dd", 1): 1,
    (2, "ddd", 1): 2,
    (3, "d", 1): 3,
    (4, "i", 0): 4,
    (4, "i", 1): 5,
}

cdef struct Function:
    void *update
    void *peek
    void *close
    void *over
    int kind
    int first
    int inputs
    int outputs
    int fields[MOST_INPUTS]
    int handle
    int window
    double parameter


@cython.no_gc
cdef class Plan:
    """The functions of a line, looked up once for all lines that have the same."""

    cdef Function *functions
    cdef double *outputs  # of the call that runs
    cdef double *ahead  # a window of the call that runs
    cdef int count
    cdef int handles
    cdef int width
    cdef int[FIELDS] depths  # of a window: field after field, each oldest first
    cdef int[FIELDS] starts
    cdef int places
    cdef list openers

    def __cinit__(self, streams):
        """Raises AttributeError for a function that the library does not export."""
        library = ctypes.CDLL(program())
        self.openers = []
        self.count = len(streams)
        self.handles = self.places = self.width = 0
        self.functions = <Function *> calloc(max(self.count, 1), sizeof(Function))
        if self.functions is NULL:
            raise MemoryError
        cdef int i, j
        self.depths = [0, 0, 0, 0, 0]
        for i, each in enumerate(streams):
            function = &self.functions[i]
            function.first = each.first
            function.inputs = len(each.fields)
            function.outputs = len(each.outputs)
            for j in range(function.inputs):
                function.fields[j] = each.fields[j]
            self.width += function.outputs
            function.window = each.first + 1 if each.is_windowed else 0
            if function.window:
                self._plan_window(function, library, each)
            else:
                self._plan_handle(function, library, each)
        for i in range(FIELDS):
            self.starts[i] = self.places
            self.places += self.depths[i]
        self.outputs = <double *> calloc(max(self.width, 1), sizeof(double))
        self.ahead = <double *> calloc(max(self.places, 1), sizeof(double))
        if self.outputs is NULL or self.ahead is NULL:
            raise MemoryError

    cdef int _plan_handle(self, Function *function, library, each) except -1:
        function.update = <void *> <uintptr_t> _address(library, f"{each.function}_Update")
        function.peek = <void *> <uintptr_t> _address(library, f"{each.function}_Peek")
        function.close = <void *> <uintptr_t> _address(library, f"{each.function}_Close")
        function.kind = _KINDS[len(each.fields), each.outputs]
        function.handle = self.handles
        self.handles += 1
        opener = getattr(library, f"TA_{each.function}_Open")
        self.openers.append((opener, each.parameters, each.outputs))
        return 0

    cdef int _plan_window(self, Function *function, library, each) except -1:
        cdef int j, field
        function.over = <void *> <uintptr_t> _address(library, each.function)
        function.kind = _OVER_KINDS[len(each.fields), each.outputs, len(each.parameters)]
        function.parameter = each.parameters[0] if each.parameters else 0.0
        for j in range(function.inputs):
            field = function.fields[j]
            self.depths[field] = max(self.depths[field], function.window)
        return 0

    def __dealloc__(self):
        free(self.functions)
        free(self.outputs)
        free(self.ahead)


def _address(library, name):
    return ctypes.cast(getattr(library, f"TA_{name}"), ctypes.c_void_p).value


# the collector would take its plan away before the handles are closed by it; it is part of no ring
@cython.no_gc
cdef class Handles:
    """The handles of one line; see handle.Handles."""

    cdef Plan plan
    cdef void **streams
    cdef double *window
    cdef int closed
    cdef long long bars
    cdef object waiting  # bars, field after field, until every handle is open

    def __cinit__(self, Plan plan not None):
        self.plan = plan
        self.closed = plan.handles
        self.bars = 0
        self.waiting = array("d") if self.closed else None
        self.streams = <void **> calloc(max(plan.handles, 1), sizeof(void *))
        self.window = <double *> calloc(max(plan.places, 1), sizeof(double))
        if self.streams is NULL or self.window is NULL:
            raise MemoryError

    def __dealloc__(self):
        cdef int i
        cdef Function *each
        if self.streams is not NULL:
            for i in range(self.plan.count):
                each = &self.plan.functions[i]
                if not each.window and self.streams[each.handle] is not NULL:
                    (<Close> each.close)(self.streams[each.handle])
        free(self.streams)
        free(self.window)

    def seed(self, double[:, ::1] columns not None):
        """Take many bars at once, before any other: float64[5, n], oldest first."""
        if columns.shape[1] == 0:
            return
        self._fill_window(columns)
        self._open(columns)
        if self.closed:
            self.waiting.frombytes(np.asarray(columns).T.tobytes())

    def update(self, double opened, double high, double low, double close, double volume):
        """The outputs after the next bar."""
        self._take(opened, high, low, close, volume)
        return self._packed()

    def verdicts(self, double opened, double high, double low, double close, double volume):
        """What the outputs after the next bar say, by place; 0 and NaN say nothing."""
        cdef double *out = self.plan.outputs
        cdef int place
        cdef list said = []
        self._take(opened, high, low, close, volume)
        for place in range(self.plan.width):
            if out[place] != 0.0 and out[place] == out[place]:
                said.append((place, out[place]))
        return said

    def peek(self, double opened, double high, double low, double close, double volume):
        """The outputs if the bar were the next one; nothing is kept of it."""
        cdef double[FIELDS] bar = [opened, high, low, close, volume]
        memcpy(self.plan.ahead, self.window, self.plan.places * sizeof(double))
        self._shift(self.plan.ahead, bar)
        self._call(bar, self.plan.ahead, self.bars, True)
        return self._packed()

    cdef int _take(
        self, double opened, double high, double low, double close, double volume
    ) except -1:
        cdef double[FIELDS] bar = [opened, high, low, close, volume]
        if self.closed:
            self.waiting.extend((opened, high, low, close, volume))
        self._shift(self.window, bar)
        self.bars += 1
        self._call(bar, self.window, self.bars, False)
        if self.closed and self._is_due():
            self._open_waiting()
        return 0

    cdef bytes _packed(self):
        return PyBytes_FromStringAndSize(
            <const char *> self.plan.outputs, self.plan.width * sizeof(double)
        )

    cdef void _shift(self, double *window, double *bar) noexcept:
        """Let the bar be the newest of the window."""
        cdef int field, depth
        cdef double *first
        for field in range(FIELDS):
            depth = self.plan.depths[field]
            if depth:
                first = window + self.plan.starts[field]
                memmove(first, first + 1, (depth - 1) * sizeof(double))
                first[depth - 1] = bar[field]

    cdef void _fill_window(self, double[:, ::1] columns) noexcept:
        """Take the newest bars over, float64[5, n]."""
        cdef Py_ssize_t count = columns.shape[1]
        cdef Py_ssize_t known
        cdef int field
        for field in range(FIELDS):
            known = min(count, <Py_ssize_t> self.plan.depths[field])
            if known:
                memcpy(
                    self.window + self.plan.starts[field] + self.plan.depths[field] - known,
                    &columns[field, count - known],
                    known * sizeof(double),
                )
        self.bars = count

    cdef In _newest(self, double *window, Function *each, int place) noexcept:
        """The bars of an input that the function looks back on."""
        cdef int field = each.fields[place]
        return window + self.plan.starts[field] + self.plan.depths[field] - each.window

    cdef int _over(self, Function *each, double *window, double *out) noexcept:
        """The outputs of a function over the newest bars; a code where it refuses them."""
        cdef int at = each.window - 1
        cdef int by = <int> each.parameter
        cdef int begin, count
        cdef int verdict = 0
        cdef int code
        cdef In a = self._newest(window, each, 0)
        if each.kind == 0:
            return (<OverOneOne> each.over)(at, at, a, by, &begin, &count, &out[0])
        cdef In b = self._newest(window, each, 1)
        if each.kind == 1:
            return (<OverTwoTwo> each.over)(at, at, a, b, by, &begin, &count, &out[0], &out[1])
        if each.kind == 2:
            return (<OverTwoThree> each.over)(
                at, at, a, b, by, &begin, &count, &out[0], &out[1], &out[2]
            )
        cdef In c = self._newest(window, each, 2)
        if each.kind == 3:
            return (<OverThreeOne> each.over)(at, at, a, b, c, by, &begin, &count, &out[0])
        cdef In d = self._newest(window, each, 3)
        if each.kind == 4:
            code = (<OverVerdict> each.over)(at, at, a, b, c, d, &begin, &count, &verdict)
        else:
            code = (<OverVerdictBy> each.over)(
                at, at, a, b, c, d, each.parameter, &begin, &count, &verdict
            )
        out[0] = verdict
        return code

    cdef int _call(self, double *bar, double *window, long long bars, bint is_peek) except -1:
        cdef double *out = self.plan.outputs
        cdef int[1] verdict
        cdef int i, j, code
        cdef Function *each
        cdef void *call
        cdef void *stream
        cdef double a, b, c, d
        for i in range(self.plan.handles):
            ask_for(self.streams[i])
            ask_for(<char *> self.streams[i] + CACHE_LINE)
        for i in range(self.plan.count):
            each = &self.plan.functions[i]
            stream = NULL if each.window else self.streams[each.handle]
            if bars <= each.first or (stream is NULL and not each.window):
                for j in range(each.outputs):
                    out[j] = NAN
                out += each.outputs
                continue
            if each.window:
                code = self._over(each, window, out)
                if code:
                    raise ValueError(f"TA-Lib refused the last bars with code {code}")
                out += each.outputs
                continue
            call = each.peek if is_peek else each.update
            a = bar[each.fields[0]]
            b = bar[each.fields[1]]
            c = bar[each.fields[2]]
            d = bar[each.fields[3]]
            if each.kind == 0:
                code = (<OneOne> call)(stream, a, &out[0])
            elif each.kind == 1:
                code = (<OneThree> call)(stream, a, &out[0], &out[1], &out[2])
            elif each.kind == 2:
                code = (<TwoOne> call)(stream, a, b, &out[0])
            elif each.kind == 3:
                code = (<TwoTwo> call)(stream, a, b, &out[0], &out[1])
            elif each.kind == 4:
                code = (<TwoThree> call)(stream, a, b, &out[0], &out[1], &out[2])
            elif each.kind == 5:
                code = (<ThreeOne> call)(stream, a, b, c, &out[0])
            elif each.kind == 6:
                code = (<ThreeTwo> call)(stream, a, b, c, &out[0], &out[1])
            elif each.kind == 7:
                code = (<ThreeSide> call)(stream, a, b, c, &out[0], &verdict[0])
                out[1] = verdict[0]
            elif each.kind == 8:
                code = (<FourOne> call)(stream, a, b, c, d, &out[0])
            else:
                code = (<FourVerdict> call)(stream, a, b, c, d, &verdict[0])
                out[0] = verdict[0]
            if code:
                raise ValueError(f"TA-Lib refused a bar with code {code}")
            out += each.outputs
        return 0

    cdef bint _is_due(self):
        """Whether some handle has enough bars to be opened."""
        cdef int i
        cdef int bars = len(self.waiting) // FIELDS
        cdef Function *each
        for i in range(self.plan.count):
            each = &self.plan.functions[i]
            if not each.window and self.streams[each.handle] is NULL and each.first < bars:
                return True
        return False

    cdef int _open_waiting(self) except -1:
        """Open what the waiting bars suffice for; it tells its outputs after the last of them."""
        cdef int place
        for place, value in self._open(np.array(self.waiting).reshape(-1, FIELDS).T.copy()):
            self.plan.outputs[place] = value
        if not self.closed:
            self.waiting = None
        return 0

    def _open(self, double[:, ::1] columns):
        """Open what has enough bars; the first outputs by place."""
        cdef int i, j
        cdef int place = 0
        cdef int count = columns.shape[1]
        cdef Function *each
        found = []
        for i in range(self.plan.count):
            each = &self.plan.functions[i]
            if not each.window and self.streams[each.handle] is NULL and each.first < count:
                opener, parameters, kinds = self.plan.openers[each.handle]
                inputs = [<uintptr_t> &columns[each.fields[j], 0] for j in range(each.inputs)]
                address, values = _open_one(opener, inputs, count, parameters, kinds)
                self.streams[each.handle] = <void *> <uintptr_t> address
                self.closed -= 1
                found += [(place + j, value) for j, value in enumerate(values)]
            place += each.outputs
        return found


def _open_one(opener, inputs, count, parameters, kinds):
    """The address of a new handle, and its outputs after the last bar."""
    handle = ctypes.c_void_p()
    outputs = [ctypes.c_int() if kind == "i" else ctypes.c_double() for kind in kinds]
    code = opener(
        ctypes.byref(handle),
        *map(ctypes.c_void_p, inputs),
        ctypes.c_int(count),
        *(ctypes.c_double(p) if isinstance(p, float) else ctypes.c_int(p) for p in parameters),
        *map(ctypes.byref, outputs),
    )
    if code:
        raise ValueError(f"TA-Lib opened no handle over {count} bars, code {code}")
    return handle.value, [float(output.value) for output in outputs]
