"""Files that a stranger may send as a model, and the reason for which each is to be refused.

What runs when one of them is opened as joblib would open it makes a file `calls.WITNESS` in the current folder.
"""

import bz2
import gzip
import importlib
import io
import lzma
import pickle
import struct
import zipfile
import zlib
from functools import cache

import joblib
import numpy as np
from calls import CALLS, TOUCH, WITNESS, Call, Global, Hostile, code, file, made, stack_global
from checks import bound_checks
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeRegressor

FIELDS = ("month", "day", "sched_dep_time", "dep_delay")
"""The columns that the models here were fitted on."""
FOUND_LATER = frozenset({"refused_tree", "refused_not_finite", "refused_schema", "refused_kind"})
"""Reasons that only the model itself gives: such a file is examined and loaded, and then refused."""
_WIDTH = len(FIELDS)
_GIGABYTE = 2**30


def dumped(model, **how) -> bytes:
    """Return what `joblib.dump` writes."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer, **how)
    return buffer.getvalue()


def fitted(model, width=_WIDTH):
    """Return a model that learnt from a few random rows."""
    random = np.random.default_rng(3)
    rows = random.normal(size=(40, width))
    model.fit(rows, rows @ np.arange(1.0, width + 1))
    if width == _WIDTH:
        first = model[0] if isinstance(model, Pipeline) else model
        first.feature_names_in_ = np.array(FIELDS, object)
    return model


class _Reduced:
    """Something that is pickled as a call of a real function."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


@cache
def _system() -> _Reduced:
    return _Reduced(importlib.import_module("os").system, TOUCH)


def _named() -> list[Hostile]:
    """Files that call what no model needs."""
    chain = Call(
        Call(Global("builtins", "getattr"), (Call(Global("builtins", "__import__"), ("os",)), "system")), (TOUCH,)
    )
    caller = Call(Call(Global("operator", "methodcaller"), ("system", TOUCH)), (Global("os", "path"),))
    system = stack_global("os", "system")
    run = code((TOUCH,)) + b"R"
    from_memo = b"}\x8c\x02os\x94\x8c\x06system\x94sh\x00h\x01\x93" + code((TOUCH,)) + b"R\x86"
    nested = np.empty(1, object)
    nested[0] = _system()
    twice = np.empty(1, object)
    twice[0] = nested
    model = fitted(make_pipeline(StandardScaler(), LinearRegression()))
    contents = {
        "getattr of an import": file(chain),
        "methodcaller": file(caller),
        "resolve_name": file(Call(Call(Global("pkgutil", "resolve_name"), ("os:system",)), (TOUCH,))),
        "partial": file(Call(Call(Global("functools", "partial"), (Global("os", "system"), TOUCH)), ())),
        "stack global": b"\x80\x04" + system + run + b".",
        "stack global of the memo": b"\x80\x04" + from_memo + b".",
        "dotted in an allowed module": b"\x80\x04" + stack_global("numpy", "f2py.os.system") + run + b".",
        "dotted in an allowed class": b"\x80\x04" + stack_global("sklearn.pipeline", "Pipeline.fit") + run + b".",
        "builtins of a module": b"\x80\x04" + stack_global("sklearn", "__builtins__.eval") + b"N\x85R.",
        "function behind a class": b"\x80\x04" + stack_global("numpy", "ndarray.__class__") + b")\x81.",
        "made, not called": b"\x80\x04" + stack_global("subprocess", "Popen") + code((TOUCH,)) + b"\x81.",
        "a name alone": b"\x80\x04" + system + b".",
        "a name and a cut": b"\x80\x04" + system + run,
        "in an array": dumped(nested),
        "in an array of a pickle": pickle.dumps(nested),
        "in an array in an array": dumped(twice),
        "in a list of an array": dumped(
            make_pipeline(StandardScaler(), LinearRegression()).set_params(memory=[nested])
        ),
        "a function of a transformer": dumped(fitted(make_pipeline(FunctionTransformer(eval_), LinearRegression()))),
        "a step": dumped(make_pipeline("passthrough", _system())),
        "a random state": dumped(DecisionTreeRegressor(random_state=_system())),
        "a subclass": dumped(_Subclass()),
        "an attribute": dumped(_with(model, "extra_", _system())),
        "compressed": dumped(_system(), compress=("gzip", 3)),
    }
    named = [
        Hostile(f"calls {call.function.module}.{call.function.name}", "m.joblib", file(call), "refused_names")
        for call in CALLS
    ]
    return named + [Hostile(name, "model.joblib", content, "refused_names") for name, content in contents.items()]


def eval_(rows):
    """Stand for a function of the sender's own."""
    return rows


class _Subclass(LinearRegression):
    """A class of the sender's own."""


def _with(model, name, value):
    again = pickle.loads(pickle.dumps(model))
    setattr(again, name, value)
    return again


def _array_state(*state) -> bytes:
    start = Call(Global("numpy._core.multiarray", "_reconstruct"), (Global("numpy", "ndarray"), (0,), b"b"))
    return b"\x80\x03" + code(start) + code(state) + b"b."


def _wrapper(dtype: str, follows: bytes) -> bytes:
    """Return the opcodes of an array as joblib writes it, and what follows them."""
    state = {
        "subclass": Global("numpy", "ndarray"),
        "shape": (1,),
        "order": "C",
        "dtype": Call(Global("numpy", "dtype"), (dtype, False, True)),
    }
    items = b"".join(code(name) + code(value) + b"s" for name, value in state.items())
    return code(Global("joblib.numpy_pickle", "NumpyArrayWrapper")) + b")\x81}" + items + b"b" + follows


def _states() -> list[Hostile]:
    """Files that name only what is allowed, and do with it what no model does."""
    f8 = Call(Global("numpy", "dtype"), ("f8", False, True))
    i8 = Call(Global("numpy", "dtype"), ("i8", False, True))
    void = code(Call(Global("numpy", "dtype"), ("V8", False, True)))
    b = b"C\x01b"
    start = code(Global("numpy._core.multiarray", "_reconstruct")) + b"(" + code(Global("numpy", "ndarray"))
    state = lambda **values: code(values)  # noqa: E731
    tuples = b"".join([b"N", b"\x85", b"q\x01h\x01\x86" * 60])
    tree = code(Global("sklearn.tree._tree", "Tree")) + b"(K\x04"
    one = b"\x80\x03" + start + b"K\x00\x85" + b + b"tR(K\x01"
    contents = {
        "a class is called": file(Call(Global("lightgbm.basic", "Booster"), (None, None, WITNESS))),
        "an estimator is called": file(Call(Global("sklearn.pipeline", "Pipeline"), ([],))),
        "a text is called": file(Call("os.system", (TOUCH,))),
        "a function is made": b"\x80\x02" + code(Global("_codecs", "encode")) + b")\x81.",
        "an estimator is made with arguments": b"\x80\x02"
        + code(Global("sklearn.pipeline", "Pipeline"))
        + b"N\x85\x81.",
        "a codec that is no encoding": file(Call(Global("_codecs", "encode"), (TOUCH, "rot13"))),
        "another class": made("sklearn.pipeline", "Pipeline", state(__class__=1)),
        "a dictionary of its own": made("sklearn.pipeline", "Pipeline", state(__dict__={})),
        "a reduction": made("sklearn.pipeline", "Pipeline", state(__reduce__=1)),
        "a class as an attribute": b"\x80\x02"
        + code(Global("sklearn.pipeline", "Pipeline"))
        + b")\x81}X\x07\x00\x00\x00predict"
        + code(Global("lightgbm.basic", "Booster"))
        + b"sb.",
        "a state for a name": b"\x80\x02" + code(Global("numpy", "ndarray")) + b"}b.",
        "a state for a list": b"\x80\x02]}b.",
        "two states": made("sklearn.pipeline", "Pipeline", b"}b}"),
        "a state that is a list": made("sklearn.pipeline", "Pipeline", b"]"),
        "an address of a booster": made("lightgbm.basic", "Booster", state(_handle=4096)),
        "an old address of a booster": made("lightgbm.basic", "Booster", state(handle=4096)),
        "an object type that is shared": file(Call(Global("numpy", "dtype"), ("f8", False, False))),
        "a type of numpy by another name": file(Call(Global("numpy", "dtype"), ("O8,f8", False, True))),
        "a field outside of its type": b"\x80\x02"
        + void
        + code((3, "|", None, ("a",), {"a": (f8, 4096)}, 8, 1, 16)).replace(
            code({"a": (f8, 4096)}), b"}X\x01\x00\x00\x00a" + code((f8, 4096)) + b"s"
        )
        + b"b.",
        "a type larger than it says": b"\x80\x02" + void + b"(K\x03X\x01\x00\x00\x00|NNNJ\x00\x00\x00\x10K\x01K\x00tb.",
        "an array larger than its bytes": one + b"J\x00\x00\x00\x10\x85" + code(f8) + b"\x89C\x08" + bytes(8) + b"tb.",
        "an array of a negative size": one + b"J\xff\xff\xff\xff\x85" + code(f8) + b"\x89C\x00tb.",
        "a vast array": b"\x80\x03" + start + b"J\x00\x00\x00\x70\x85" + b + b"tR.",
        "a tree of nothing": b"\x80\x03" + tree + b"NK\x01tR.",
        "a tree with outputs from beyond": b"\x80\x03"
        + tree
        + code(Global("numpy._core.numeric", "_frombuffer"))
        + b"(C\x08"
        + bytes(8)
        + code(i8)
        + b"K\x01\x85X\x01\x00\x00\x00CtRK\x20tR.",
        "a tree with nodes from beyond": _tree_state(node_count=4096),
        "a key that takes for ever": b"\x80\x02}" + tuples + b"Ns.",
        "an array of joblib in an array": b"\x80\x03"
        + _wrapper("O8", b"\x80\x03" + _wrapper("f8", bytes(8)) + b".")
        + b".",
        "no array where one should be": b"\x80\x03" + _wrapper("O8", b"\x80\x03N.") + b".",
        "items of an estimator": b"\x80\x02" + code(Global("sklearn.pipeline", "Pipeline")) + b")\x81K\x00K\x00s.",
        "an append to an array": b"\x80\x03" + start + b"K\x00\x85" + b + b"tRNa.",
    }
    return [Hostile(name, "model.joblib", content, "refused_state") for name, content in contents.items()]


def _tree_state(**changed) -> bytes:
    tree = fitted(DecisionTreeRegressor(max_depth=2)).tree_
    made, arguments, state = tree.__reduce__()
    return pickle.dumps(_Restored(made, arguments, state | changed))


class _Restored:
    """Something that is pickled as a call and a state."""

    def __init__(self, function, arguments, state):
        self.reduced = function, arguments, state

    def __reduce__(self):
        return self.reduced


def _opcodes() -> list[Hostile]:
    """Files with opcodes that no model is written with."""
    contents = {
        "PERSID": b"\x80\x02Px\n.",
        "BINPERSID": b"\x80\x02NQ.",
        "INST": b"\x80\x02(X\x05\x00\x00\x00touchios\nsystem\n.",
        "OBJ": b"\x80\x02(NNo.",
        "EXT1": b"\x80\x02\x82\x01.",
        "EXT2": b"\x80\x02\x83\x01\x00.",
        "EXT4": b"\x80\x02\x84\x01\x00\x00\x00.",
        "NEXT_BUFFER": b"\x80\x05\x97.",
        "READONLY_BUFFER": b"\x80\x05N\x98.",
        "NEWOBJ_EX": b"\x80\x04N)}\x92.",
        "DUP": b"\x80\x02N2.",
        "POP": b"\x80\x02NN0.",
        "LONG": b"\x80\x02L" + b"9" * 100_000 + b"L\n.",
        "LONG4": b"\x80\x02\x8b\xff\xff\xff\x7f.",
        "BINBYTES8": b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f.",
        "STRING": b"\x80\x02S'x'\n.",
        "FROZENSET": b"\x80\x04(\x91.",
        "PROTO": b"\x80\x02\x80\x04N.",
    }
    return [Hostile(f"opcode {name}", "model.pkl", content, "refused_opcode") for name, content in contents.items()]


def _intricate() -> list[Hostile]:
    """Small files that would take long or much."""
    text = b"\x80\x02X" + struct.pack("<I", 2**20) + b"a" * 2**20 + b"q\x01"
    encode = code(Global("_codecs", "encode"))
    contents = {
        "marks in marks": (b"\x80\x02" + b"(" * 100_000 + b".", "refused_complex"),
        "many opcodes": (gzip.compress(b"\x80\x02]" + b"(NNNNNNNNe" * 400_000 + b".", 1), "refused_complex"),
        "one text many times": (
            text + (encode + b"h\x01X\x06\x00\x00\x00latin1\x86R") * 4000 + b".",
            "refused_complex",
        ),
        "one state many times": (b"\x80\x02(" + _shared_state() + b"t.", "refused_complex"),
        "a number of 255 bytes": (b"\x80\x02\x8a\xff" + b"\x7f" * 255 + b".", "refused_complex"),
        "a text longer than the file": (b"\x80\x02X\xff\xff\xff\xffabc", "refused_damaged"),
        "bytes longer than the file": (b"\x80\x03B\xff\xff\xff\xffabc", "refused_damaged"),
        "a buffer longer than the file": (b"\x80\x05\x96" + b"\xff" * 6 + b"\x00\x00abc", "refused_damaged"),
        "a name that does not end": (b"\x80\x02c" + b"a" * 100_000, "refused_damaged"),
        "nothing on the stack": (b"\x80\x02.", "refused_damaged"),
        "two things on the stack": (b"\x80\x02NN.", "refused_damaged"),
        "a memo of nothing": (b"\x80\x02h\x07.", "refused_damaged"),
        "a tuple of nothing": (b"\x80\x02\x86.", "refused_damaged"),
        "a payload after the model": (dumped(fitted(LinearRegression())) + file(CALLS[0]), "refused_damaged"),
        "a compressed payload after the model": (
            dumped(fitted(LinearRegression()), compress=3) + zlib.compress(file(CALLS[0])),
            "refused_damaged",
        ),
        "cut": (dumped(fitted(LinearRegression()))[:-7], "refused_damaged"),
        "cut in its compression": (dumped(fitted(LinearRegression()), compress=3)[:-7], "refused_damaged"),
    }
    return [Hostile(name, "model.joblib", content, reason) for name, (content, reason) in contents.items()]


def _shared_state() -> bytes:
    """Return the opcodes of many estimators that share a large state."""
    state = code({f"a{number}": None for number in range(20_000)})
    ridge = b"r\x00\x00\x01\x00" + code(Global("sklearn.linear_model._ridge", "Ridge")) + b"r\x01\x00\x01\x00"
    return state + ridge + b"j\x01\x00\x01\x00)\x81j\x00\x00\x01\x00b" * 1000


@cache
def bombs() -> list[Hostile]:
    """Files of kilobytes that hold a gigabyte, or a quarter of one where it is slow to compress."""
    start = b"\x80\x04B" + struct.pack("<I", _GIGABYTE)
    contents = {
        "zlib": _deflated(start, zlib.MAX_WBITS),
        "gzip": _deflated(start, zlib.MAX_WBITS | 16),
        "bz2": bz2.compress(start + bytes(_GIGABYTE // 4)),
        "lz4": _lz4(start),
        "xz": lzma.compress(start + bytes(_GIGABYTE // 4), preset=0),
        "lzma": lzma.compress(start + bytes(_GIGABYTE // 4), lzma.FORMAT_ALONE, preset=0),
    }
    return [
        Hostile(f"a bomb of {name}", "model.joblib", content, "refused_size_inside")
        for name, content in contents.items()
    ]


def _deflated(start: bytes, window_bits: int) -> bytes:
    """Return the beginning of a compressed gigabyte; each megabyte of it is compressed alike."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, window_bits)
    head = compressor.compress(start) + compressor.flush(zlib.Z_FULL_FLUSH)
    return head + (compressor.compress(bytes(2**20)) + compressor.flush(zlib.Z_FULL_FLUSH)) * 1024


def _lz4(start: bytes) -> bytes:
    """Return the beginning of a frame of lz4: the start as it is, then blocks of zeros."""
    block = 4 * 2**20
    long, rest = divmod(block - 1 - 19 - 5, 255)
    zeros = b"\x1f\x00\x01\x00" + b"\xff" * long + bytes([rest]) + b"\x50" + bytes(5)
    head = b"\x04\x22\x4d\x18\x60\x70\x73" + struct.pack("<I", 2**31 | len(start)) + start
    return head + (struct.pack("<I", len(zeros)) + zeros) * (_GIGABYTE // block)


def _no_models() -> list[Hostile]:
    """Files that do not begin as a model."""
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("data.pkl", file(CALLS[0]))
    model = dumped(fitted(LinearRegression()))
    contents = {
        "nothing": b"",
        "one byte": b"\x80",
        "a text": b"a,b,c\n1,2,3\n",
        "a zip": zipped.getvalue(),
        "a pickle of protocol 0": b"cos\nsystem\n(S'" + TOUCH.encode() + b"'\ntR.",
        "a pickle of the future": b"\x80\x09N.",
        "an old joblib": b"ZF0x0000000000000010x",
        "gzip in gzip": gzip.compress(gzip.compress(model)),
        "bz2 in xz": lzma.compress(bz2.compress(model)),
        "a zip in zlib": zlib.compress(zipped.getvalue()),
        "gzip of nothing": gzip.compress(b""),
    }
    return [Hostile(name, "model.joblib", content, "not_a_model") for name, content in contents.items()]


def _bad_models() -> list[Hostile]:
    """Files that hold an object, and no model that could answer."""
    beyond, circle = (fitted(DecisionTreeRegressor(max_depth=3)) for _ in range(2))
    beyond.tree_.__getstate__()["nodes"]["left_child"][0] = 2**31
    circle.tree_.__getstate__()["nodes"]["left_child"][1] = 0
    feature = fitted(DecisionTreeRegressor(max_depth=3))
    feature.tree_.__getstate__()["nodes"]["feature"][0] = 2**40
    blank = fitted(LinearRegression())
    blank.coef_[:] = np.nan
    return [
        Hostile("a tree that leads out of itself", "model.joblib", dumped(beyond), "refused_tree"),
        Hostile("a tree that goes in a circle", "model.joblib", dumped(circle), "refused_tree"),
        Hostile("a tree that asks for a feature that is none", "model.joblib", dumped(feature), "refused_tree"),
        Hostile("weights that are no numbers", "model.joblib", dumped(blank), "refused_not_finite"),
        Hostile("another width", "model.joblib", dumped(fitted(LinearRegression(), width=7)), "refused_schema"),
        Hostile("a dictionary", "model.joblib", dumped({"weights": [1.0, 2.0]}), "refused_kind"),
        Hostile("a scaler", "model.joblib", dumped(StandardScaler().fit(np.eye(4))), "refused_kind"),
    ]


# Without `bombs()`, which take seconds to make.
HOSTILE: list[Hostile] = [
    *_named(),
    *_states(),
    *bound_checks(),
    *_opcodes(),
    *_intricate(),
    *_no_models(),
    *_bad_models(),
]
