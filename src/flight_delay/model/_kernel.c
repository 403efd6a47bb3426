/* Boosted trees as tables of bit masks, for one row and for many: what plain.py does with numpy, to the same bit.

   For each feature the row's bin is found; the AND over the features of the masks of these bins leaves, in each tree,
   the one leaf that is reached. The sum over a head's trees is taken from its first to its last, as LightGBM does.

   The masks come as lines.py lays them out: of each bin, where the masks of 16 trees at a time are. The arrays are
   those of trees.py, which has checked that they fit together; they are read where they are. */

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LEAVES 32
#define LINE 16 /* masks that lie together: a line of the processor's cache */
#define LINES_AT_A_TIME 4
#define TREES_AT_A_TIME (LINE * LINES_AT_A_TIME)
#define ROWS_AT_A_TIME 256
#define SIDE_BY_SIDE 4 /* sums do not depend on each other, and are taken at once */

#if defined(__GNUC__) && defined(__x86_64__) && defined(__linux__) && !defined(__clang__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

/* Of GCC and Clang: as many masks as the processor takes at once. */
typedef uint32_t Line __attribute__((vector_size(LINE * 4), aligned(4), may_alias));

enum { LINES, PLACES, LEAF_VALUES, THRESHOLDS, THRESHOLD_COUNTS, CATEGORIES, HEADS, ARRAYS };

typedef struct {
    PyObject_HEAD
    Py_buffer array[ARRAYS];
    int held;
    Py_ssize_t features, trees, heads, blocks;
} Ensemble;

static const double *leaves_of(const Ensemble *self) { return self->array[LEAF_VALUES].buf; }

/* Write the bin that each value falls into. */
static void find_bins(const Ensemble *self, const double *values, int64_t *bins) {
    const double *thresholds = self->array[THRESHOLDS].buf;
    const int64_t *counts = self->array[THRESHOLD_COUNTS].buf, *categories = self->array[CATEGORIES].buf;
    int64_t first = 0;
    for (Py_ssize_t feature = 0; feature < self->features; feature++) {
        const double value = values[feature];
        const int64_t count = counts[feature], codes = categories[feature];
        const int64_t last = first + (codes ? codes : count + 1);
        if (codes) {
            bins[feature] = value > -1.0 && value < (double)codes ? first + (int64_t)value : last;
        } else if (isnan(value)) {
            bins[feature] = last;
        } else {
            int64_t low = 0, high = count;
            while (low < high) {
                const int64_t middle = (low + high) / 2;
                if (thresholds[middle] < value) low = middle + 1;
                else high = middle;
            }
            bins[feature] = first + low;
        }
        thresholds += count;
        first = last + 1;
    }
}

static inline const Line *line_at(const uint32_t *lines, uint32_t place) {
    return (const Line *)(lines + (size_t)place * LINE);
}

/* Write the leaves that are left of the trees of some blocks: the AND of the masks of all bins of a row. */
FOR_EACH_PROCESSOR
static void intersect(const uint32_t *lines, const uint32_t *places, Py_ssize_t stride, const int64_t *bins,
                      Py_ssize_t features, Py_ssize_t blocks, uint32_t *restrict alive) {
    Py_ssize_t block = 0;
    for (; block + 4 <= blocks; block += 4) {
        Line a = ~(Line){0}, b = a, c = a, d = a;
        for (Py_ssize_t feature = 0; feature < features; feature++) {
            const uint32_t *place = places + bins[feature] * stride + block;
            a &= *line_at(lines, place[0]);
            b &= *line_at(lines, place[1]);
            c &= *line_at(lines, place[2]);
            d &= *line_at(lines, place[3]);
        }
        const Line left[] = {a, b, c, d};
        memcpy(alive + block * LINE, left, sizeof left);
    }
    for (; block < blocks; block++) {
        Line left = ~(Line){0};
        for (Py_ssize_t feature = 0; feature < features; feature++)
            left &= *line_at(lines, places[bins[feature] * stride + block]);
        memcpy(alive + block * LINE, &left, sizeof left);
    }
}

static void intersect_blocks(const Ensemble *self, const int64_t *bins, Py_ssize_t first, Py_ssize_t blocks,
                             uint32_t *alive) {
    intersect(self->array[LINES].buf, (const uint32_t *)self->array[PLACES].buf + first, self->blocks, bins,
              self->features, blocks, alive);
}

/* The value of the leaf that is reached in a tree; of a mask that a wrong table left empty, of the first. */
static inline double reached(const double *leaves, Py_ssize_t tree, uint32_t alive) {
    return leaves[tree * LEAVES + (alive ? __builtin_ctz(alive) : 0)];
}

static void sum_of_heads(const Ensemble *self, Py_ssize_t heads, const uint32_t *alive, double *sums) {
    const int64_t *sizes = self->array[HEADS].buf;
    const double *leaves = leaves_of(self);
    Py_ssize_t first = 0;
    for (Py_ssize_t head = 0; head < heads;) {
        Py_ssize_t together = 1;
        while (together < SIDE_BY_SIDE && head + together < heads && sizes[head + together] == sizes[head]) together++;
        const Py_ssize_t size = sizes[head];
        double own[SIDE_BY_SIDE] = {0.0};
        if (together == SIDE_BY_SIDE) {
            for (Py_ssize_t tree = first; tree < first + size; tree++)
                for (Py_ssize_t beside = 0; beside < SIDE_BY_SIDE; beside++)
                    own[beside] += reached(leaves, tree + beside * size, alive[tree + beside * size]);
        } else {
            together = 1;
            for (Py_ssize_t tree = first; tree < first + size; tree++) own[0] += reached(leaves, tree, alive[tree]);
        }
        memcpy(sums + head, own, together * sizeof *own);
        first += together * size;
        head += together;
    }
}

static Py_ssize_t trees_of(const Ensemble *self, Py_ssize_t heads) {
    const int64_t *sizes = self->array[HEADS].buf;
    Py_ssize_t trees = 0;
    for (Py_ssize_t head = 0; head < heads; head++) trees += sizes[head];
    return trees;
}

static int heads_are_there(const Ensemble *self, Py_ssize_t heads) {
    if (heads >= 1 && heads <= self->heads) return 1;
    PyErr_Format(PyExc_ValueError, "heads is %zd, there are %zd", heads, self->heads);
    return 0;
}

static PyObject *predict(Ensemble *self, PyObject *arguments) {
    PyObject *given, *result = NULL;
    Py_ssize_t heads;
    if (!PyArg_ParseTuple(arguments, "O!n", &PyList_Type, &given, &heads) || !heads_are_there(self, heads)) return NULL;
    if (PyList_Size(given) != self->features)
        return PyErr_Format(PyExc_ValueError, "%zd values, %zd features", PyList_Size(given), self->features);
    const Py_ssize_t trees = trees_of(self, heads);
    double *values = PyMem_Malloc(self->features * sizeof(double)), *sums = PyMem_Malloc(heads * sizeof(double));
    int64_t *bins = PyMem_Malloc(self->features * sizeof(int64_t));
    const Py_ssize_t blocks = (trees + LINE - 1) / LINE;
    uint32_t *alive = PyMem_Malloc(blocks * LINE * sizeof(uint32_t));
    if (!values || !sums || !bins || !alive) {
        PyErr_NoMemory();
        goto end;
    }
    for (Py_ssize_t feature = 0; feature < self->features; feature++) {
        values[feature] = PyFloat_AsDouble(PyList_GetItem(given, feature));
        if (values[feature] == -1.0 && PyErr_Occurred()) goto end;
    }
    find_bins(self, values, bins);
    intersect_blocks(self, bins, 0, blocks, alive);
    sum_of_heads(self, heads, alive, sums);
    result = PyList_New(heads);
    for (Py_ssize_t head = 0; result && head < heads; head++) {
        PyObject *sum = PyFloat_FromDouble(sums[head]);
        if (!sum || PyList_SetItem(result, head, sum) < 0) Py_CLEAR(result);
    }
end:
    PyMem_Free(values);
    PyMem_Free(sums);
    PyMem_Free(bins);
    PyMem_Free(alive);
    return result;
}

/* Add to the sums of up to SIDE_BY_SIDE rows the trees of some blocks, the first of which is of a head. */
static void add_blocks(const Ensemble *self, const int64_t *bins, Py_ssize_t rows, Py_ssize_t first, Py_ssize_t to,
                       Py_ssize_t head, Py_ssize_t end_of_head, Py_ssize_t heads, double *sums) {
    const int64_t *sizes = self->array[HEADS].buf;
    const double *leaves = leaves_of(self);
    uint32_t alive[SIDE_BY_SIDE][TREES_AT_A_TIME];
    for (Py_ssize_t beside = 0; beside < SIDE_BY_SIDE; beside++)
        intersect_blocks(self, bins + (beside < rows ? beside : 0) * self->features, first / LINE,
                         (to - first + LINE - 1) / LINE, alive[beside]);
    for (Py_ssize_t tree = first; tree < to;) {
        const Py_ssize_t end = end_of_head < to ? end_of_head : to;
        double own[SIDE_BY_SIDE] = {0.0};
        for (Py_ssize_t beside = 0; beside < rows; beside++) own[beside] = sums[beside * heads + head];
        for (; tree < end; tree++)
            for (Py_ssize_t beside = 0; beside < SIDE_BY_SIDE; beside++)
                own[beside] += reached(leaves, tree, alive[beside][tree - first]);
        for (Py_ssize_t beside = 0; beside < rows; beside++) sums[beside * heads + head] = own[beside];
        if (end == end_of_head && ++head < heads) end_of_head += sizes[head];
    }
}

/* Some blocks for all rows, then the next ones: what is looked up of them stays near. */
static void sum_of_rows(const Ensemble *self, const int64_t *bins, Py_ssize_t rows, Py_ssize_t heads, double *sums) {
    const int64_t *sizes = self->array[HEADS].buf;
    const Py_ssize_t trees = trees_of(self, heads);
    Py_ssize_t head = 0, end_of_head = sizes[0];
    memset(sums, 0, rows * heads * sizeof *sums);
    for (Py_ssize_t first = 0; first < trees; first += TREES_AT_A_TIME) {
        const Py_ssize_t to = first + TREES_AT_A_TIME < trees ? first + TREES_AT_A_TIME : trees;
        while (end_of_head <= first) end_of_head += sizes[++head];
        for (Py_ssize_t row = 0; row < rows; row += SIDE_BY_SIDE)
            add_blocks(self, bins + row * self->features, rows - row < SIDE_BY_SIDE ? rows - row : SIDE_BY_SIDE, first,
                       to, head, end_of_head, heads, sums + row * heads);
    }
}

static int is_matrix(const Py_buffer *found, Py_ssize_t columns, const char *name) {
    if (found->ndim == 2 && found->itemsize == sizeof(double) && strcmp(found->format, "d") == 0 &&
        found->shape[1] == columns)
        return 1;
    PyErr_Format(PyExc_ValueError, "%s is not a matrix of float64 with %zd columns", name, columns);
    return 0;
}

static PyObject *predict_many(Ensemble *self, PyObject *arguments) {
    PyObject *given, *wanted, *result = NULL;
    Py_ssize_t heads;
    Py_buffer values = {0}, sums = {0};
    int64_t *bins = NULL;
    if (!PyArg_ParseTuple(arguments, "OOn", &given, &wanted, &heads) || !heads_are_there(self, heads)) return NULL;
    if (PyObject_GetBuffer(given, &values, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) return NULL;
    if (PyObject_GetBuffer(wanted, &sums, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | PyBUF_WRITABLE) < 0) goto end;
    if (!is_matrix(&values, self->features, "values") || !is_matrix(&sums, heads, "sums")) goto end;
    if (values.shape[0] != sums.shape[0]) {
        PyErr_SetString(PyExc_ValueError, "values and sums have not as many rows");
        goto end;
    }
    bins = PyMem_Malloc((self->features + 1) * ROWS_AT_A_TIME * sizeof(int64_t));
    if (!bins) {
        PyErr_NoMemory();
        goto end;
    }
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t first = 0; first < values.shape[0]; first += ROWS_AT_A_TIME) {
        const Py_ssize_t left = values.shape[0] - first, rows = left < ROWS_AT_A_TIME ? left : ROWS_AT_A_TIME;
        for (Py_ssize_t row = 0; row < rows; row++)
            find_bins(self, (const double *)values.buf + (first + row) * self->features, bins + row * self->features);
        sum_of_rows(self, bins, rows, heads, (double *)sums.buf + first * heads);
    }
    Py_END_ALLOW_THREADS
    result = Py_NewRef(Py_None);
end:
    PyMem_Free(bins);
    if (sums.obj) PyBuffer_Release(&sums);
    PyBuffer_Release(&values);
    return result;
}

static void release(Ensemble *self) {
    while (self->held > 0) PyBuffer_Release(&self->array[--self->held]);
}

static void deallocate(Ensemble *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    freefunc free_object = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    free_object(self);
    Py_DECREF(type);
}

/* Hold the arrays; the shapes that the functions above rely on are looked at once more. */
static int initialise(Ensemble *self, PyObject *arguments, PyObject *Py_UNUSED(named)) {
    static const Py_ssize_t sizes[ARRAYS] = {4, 4, 8, 8, 8, 8, 8};
    PyObject *given[ARRAYS];
    if (!PyArg_ParseTuple(arguments, "OOOOOOO", &given[0], &given[1], &given[2], &given[3], &given[4], &given[5],
                          &given[6]))
        return -1;
    release(self);
    for (; self->held < ARRAYS; self->held++) {
        if (PyObject_GetBuffer(given[self->held], &self->array[self->held], PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0)
            goto failed;
        if (self->array[self->held].itemsize != sizes[self->held]) {
            self->held++;
            PyErr_SetString(PyExc_ValueError, "an array is of another type");
            goto failed;
        }
    }
    const Py_buffer *array = self->array;
    if (array[LINES].ndim != 2 || array[LINES].shape[1] != LINE || array[PLACES].ndim != 2 ||
        array[LEAF_VALUES].ndim != 2 || array[LEAF_VALUES].shape[1] != LEAVES) {
        PyErr_SetString(PyExc_ValueError, "an array is of another shape");
        goto failed;
    }
    self->features = array[CATEGORIES].len / 8;
    self->trees = array[LEAF_VALUES].shape[0];
    self->heads = array[HEADS].len / 8;
    self->blocks = array[PLACES].shape[1];
    const int64_t *counts = array[THRESHOLD_COUNTS].buf, *categories = array[CATEGORIES].buf;
    const uint32_t *places = array[PLACES].buf;
    int64_t bins = 0, thresholds = 0, fits = array[THRESHOLD_COUNTS].len == array[CATEGORIES].len;
    for (Py_ssize_t feature = 0; fits && feature < self->features; feature++) {
        bins += categories[feature] ? categories[feature] + 1 : counts[feature] + 2;
        thresholds += counts[feature];
    }
    for (Py_ssize_t place = 0; fits && place < array[PLACES].len / 4; place++)
        fits = places[place] < array[LINES].shape[0];
    if (!fits || bins != array[PLACES].shape[0] || thresholds * 8 != array[THRESHOLDS].len ||
        trees_of(self, self->heads) != self->trees || self->blocks != (self->trees + LINE - 1) / LINE) {
        PyErr_SetString(PyExc_ValueError, "the arrays do not fit together");
        goto failed;
    }
    return 0;
failed:
    release(self);
    self->features = self->trees = self->heads = 0;
    return -1;
}

static PyMethodDef methods[] = {
    {"predict", (PyCFunction)predict, METH_VARARGS, "Return the sums of the first heads for one row, a list."},
    {"predict_many", (PyCFunction)predict_many, METH_VARARGS, "Write the sums of the first heads for many rows."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_init, initialise},
    {Py_tp_dealloc, deallocate},
    {Py_tp_methods, methods},
    {Py_tp_doc, "Ensembles over tables of bit masks; see trees.py."},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "flight_delay.model._kernel.Ensemble",
    .basicsize = sizeof(Ensemble),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

static int add_type(PyObject *module) {
    PyObject *type = PyType_FromSpec(&spec);
    const int failed = !type || PyModule_AddType(module, (PyTypeObject *)type) < 0;
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, add_type},
    {0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "flight_delay.model._kernel",
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModuleDef_Init(&definition); }
