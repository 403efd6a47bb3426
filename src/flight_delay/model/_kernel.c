/* Boosted trees as tables of bit masks, for one row and for many: what plain.py does with numpy, to the same bit.

   For each feature the row's bin is found; the AND over the features of the masks of these bins leaves, in each tree,
   the one leaf that is reached. The sum over a head's trees is taken from its first to its last, as LightGBM does.

   The arrays are those of trees.py, which has checked that they fit together; they are read where they are. */

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LEAVES 32
#define TREES_AT_A_TIME 64 /* of a table of 2,500 bins they are 640 KB, which stay in the cache for all rows */
#define ROWS_AT_A_TIME 256
#define SIDE_BY_SIDE 4 /* sums do not depend on each other, and are taken at once */

#if defined(__GNUC__) && defined(__x86_64__) && defined(__linux__) && !defined(__clang__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

#if defined(__GNUC__) || defined(__clang__)
#define lowest_bit(mask) __builtin_ctz(mask)
#else
static int lowest_bit(uint32_t mask) {
    int bit = 0;
    while (!(mask >> bit & 1)) bit++;
    return bit;
}
#endif

enum { MASKS, LEAF_VALUES, THRESHOLDS, THRESHOLD_COUNTS, CATEGORIES, HEADS, ARRAYS };

typedef struct {
    PyObject_HEAD
    Py_buffer array[ARRAYS];
    int held;
    Py_ssize_t features, trees, heads;
} Ensemble;

static const uint32_t *masks_of(const Ensemble *self) { return self->array[MASKS].buf; }
static const double *leaves_of(const Ensemble *self) { return self->array[LEAF_VALUES].buf; }

/* Write the row of the masks that each value falls into. */
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

/* Write the leaves that are left of some trees: the AND of the masks of all bins of a row. */
FOR_EACH_PROCESSOR
static void intersect(const uint32_t *masks, Py_ssize_t stride, const int64_t *bins, Py_ssize_t features,
                      Py_ssize_t trees, uint32_t *restrict alive) {
    memset(alive, 0xFF, trees * sizeof *alive);
    for (Py_ssize_t feature = 0; feature < features; feature++) {
        const uint32_t *row = masks + bins[feature] * stride;
        for (Py_ssize_t tree = 0; tree < trees; tree++) alive[tree] &= row[tree];
    }
}

/* The value of the leaf that is reached in a tree; of a mask that a wrong table left empty, of the first. */
static inline double reached(const double *leaves, Py_ssize_t tree, uint32_t alive) {
    return leaves[tree * LEAVES + (alive ? lowest_bit(alive) : 0)];
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
    uint32_t *alive = PyMem_Malloc(trees * sizeof(uint32_t));
    if (!values || !sums || !bins || !alive) {
        PyErr_NoMemory();
        goto end;
    }
    for (Py_ssize_t feature = 0; feature < self->features; feature++) {
        values[feature] = PyFloat_AsDouble(PyList_GetItem(given, feature));
        if (values[feature] == -1.0 && PyErr_Occurred()) goto end;
    }
    find_bins(self, values, bins);
    intersect(masks_of(self), self->trees, bins, self->features, trees, alive);
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

/* Add to the sums of some rows, of one head, the trees from one to another that is at most TREES_AT_A_TIME on. */
static void add_trees(const Ensemble *self, const int64_t *bins, Py_ssize_t rows, Py_ssize_t from, Py_ssize_t to,
                      double *sums, Py_ssize_t stride) {
    const double *leaves = leaves_of(self);
    uint32_t alive[SIDE_BY_SIDE][TREES_AT_A_TIME];
    for (Py_ssize_t row = 0; row < rows; row += SIDE_BY_SIDE) {
        const Py_ssize_t together = rows - row < SIDE_BY_SIDE ? rows - row : SIDE_BY_SIDE;
        double own[SIDE_BY_SIDE] = {0.0};
        for (Py_ssize_t beside = 0; beside < together; beside++) {
            intersect(masks_of(self) + from, self->trees, bins + (row + beside) * self->features, self->features,
                      to - from, alive[beside]);
            own[beside] = sums[(row + beside) * stride];
        }
        for (Py_ssize_t beside = together; beside < SIDE_BY_SIDE; beside++)
            memcpy(alive[beside], alive[0], sizeof alive[0]);
        for (Py_ssize_t tree = from; tree < to; tree++)
            for (Py_ssize_t beside = 0; beside < SIDE_BY_SIDE; beside++)
                own[beside] += reached(leaves, tree, alive[beside][tree - from]);
        for (Py_ssize_t beside = 0; beside < together; beside++) sums[(row + beside) * stride] = own[beside];
    }
}

static void sum_of_rows(const Ensemble *self, const int64_t *bins, Py_ssize_t rows, Py_ssize_t heads, double *sums) {
    const int64_t *sizes = self->array[HEADS].buf;
    Py_ssize_t first = 0;
    memset(sums, 0, rows * heads * sizeof *sums);
    for (Py_ssize_t head = 0; head < heads; head++) {
        const Py_ssize_t end = first + sizes[head];
        for (; first < end; first += TREES_AT_A_TIME) {
            const Py_ssize_t to = first + TREES_AT_A_TIME < end ? first + TREES_AT_A_TIME : end;
            add_trees(self, bins, rows, first, to, sums + head, heads);
        }
        first = end;
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
    static const Py_ssize_t sizes[ARRAYS] = {4, 8, 8, 8, 8, 8};
    PyObject *given[ARRAYS];
    if (!PyArg_ParseTuple(arguments, "OOOOOO", &given[0], &given[1], &given[2], &given[3], &given[4], &given[5]))
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
    if (array[MASKS].ndim != 2 || array[LEAF_VALUES].ndim != 2 || array[LEAF_VALUES].shape[1] != LEAVES ||
        array[LEAF_VALUES].shape[0] != array[MASKS].shape[1]) {
        PyErr_SetString(PyExc_ValueError, "masks and leaves do not fit together");
        goto failed;
    }
    self->features = array[CATEGORIES].len / 8;
    self->trees = array[MASKS].shape[1];
    self->heads = array[HEADS].len / 8;
    const int64_t *counts = array[THRESHOLD_COUNTS].buf, *categories = array[CATEGORIES].buf;
    int64_t bins = 0, thresholds = 0;
    for (Py_ssize_t feature = 0; feature < self->features; feature++) {
        bins += categories[feature] ? categories[feature] + 1 : counts[feature] + 2;
        thresholds += counts[feature];
    }
    if (array[THRESHOLD_COUNTS].len != array[CATEGORIES].len || bins != array[MASKS].shape[0] ||
        thresholds * 8 != array[THRESHOLDS].len || trees_of(self, self->heads) != self->trees) {
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
