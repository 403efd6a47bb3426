"""Pickles written by hand, and the calls that a stranger may hide in one."""

import pickle
from typing import NamedTuple

WITNESS = "a-hostile-file-was-run"
"""The file that a call makes in the current folder, where it is run."""
TOUCH = f"touch {WITNESS}"
_OPEN = f"open({WITNESS!r}, 'w')"


class Global(NamedTuple):
    """What a pickle names."""

    module: str
    name: str


class Call(NamedTuple):
    """A call in a pickle."""

    function: object
    arguments: tuple[object, ...]


class Hostile(NamedTuple):
    """A file, and the key of the message with which it is refused."""

    name: str
    filename: str
    content: bytes
    reason: str


def code(thing) -> bytes:
    """Return the opcodes that put a thing on the stack."""
    if type(thing) is Global:
        return f"c{thing.module}\n{thing.name}\n".encode()
    if type(thing) is Call:
        return code(thing.function) + code(thing.arguments) + b"R"
    if type(thing) is tuple:
        return b"(" + b"".join(map(code, thing)) + b"t"
    return pickle.dumps(thing, 2)[2:-1]


def file(thing) -> bytes:
    """Return a pickle of a thing."""
    return b"\x80\x02" + code(thing) + b"."


def made(module, name, state: bytes) -> bytes:
    """Return a pickle of an object that is made without a call, and given a state."""
    return b"\x80\x02" + code(Global(module, name)) + b")\x81" + state + b"b."


def stack_global(*names: str) -> bytes:
    """Return the opcodes that put a name on the stack as protocol 4 does."""
    return b"".join(b"\x8c" + bytes([len(name)]) + name.encode() for name in names) + b"\x93"


CALLS = [
    Call(Global(*where.rsplit(".", 1)), arguments)
    for where, arguments in [
        ("os.system", (TOUCH,)),
        ("posix.system", (TOUCH,)),
        ("nt.system", (TOUCH,)),
        ("os.popen", (TOUCH,)),
        ("os.execlp", ("touch", "touch", WITNESS)),
        ("os.spawnlp", (0, "touch", "touch", WITNESS)),
        ("posix.posix_spawn", ("/usr/bin/touch", ["touch", WITNESS], {})),
        ("subprocess.Popen", (["touch", WITNESS],)),
        ("subprocess.check_output", (["touch", WITNESS],)),
        ("subprocess.getoutput", (TOUCH,)),
        ("_posixsubprocess.fork_exec", ()),
        ("pty.spawn", (["touch", WITNESS],)),
        ("builtins.eval", (_OPEN,)),
        ("builtins.exec", (_OPEN,)),
        ("builtins.compile", (_OPEN, "", "exec")),
        ("builtins.open", (WITNESS, "w")),
        ("builtins.__import__", ("os",)),
        ("builtins.breakpoint", ()),
        ("builtins.type", ("T", (), {})),
        ("builtins.map", (Global("os", "system"), [TOUCH])),
        ("__builtin__.eval", (_OPEN,)),
        ("__builtin__.file", (WITNESS, "w")),
        ("io.open", (WITNESS, "w")),
        ("_io.FileIO", (WITNESS, "w")),
        ("pathlib.Path", (WITNESS,)),
        ("shutil.copyfile", ("/etc/hostname", WITNESS)),
        ("pip.main", (["install", "x"],)),
        ("pip._internal.main", (["install", "x"],)),
        ("ensurepip._run_pip", (["install", "x"],)),
        ("pkgutil.resolve_name", ("os:system",)),
        ("importlib.import_module", ("antigravity",)),
        ("importlib.reload", (Global("os", "path"),)),
        ("imp.load_source", ("m", WITNESS)),
        ("runpy.run_path", (WITNESS,)),
        ("runpy._run_code", (_OPEN, {})),
        ("code.interact", ()),
        ("code.InteractiveInterpreter", ()),
        ("codeop.compile_command", (_OPEN,)),
        ("timeit.timeit", (_OPEN,)),
        ("cProfile.run", (_OPEN,)),
        ("profile.run", (_OPEN,)),
        ("trace.Trace", ()),
        ("bdb.Bdb", ()),
        ("pdb.run", (_OPEN,)),
        ("doctest.debug_script", (_OPEN,)),
        ("uuid._get_command_stdout", ("touch", WITNESS)),
        ("webbrowser.open", ("http://localhost/",)),
        ("ctypes.CDLL", ("libc.so.6",)),
        ("logging.config.dictConfig", ({},)),
        ("asyncio.run", (None,)),
        ("multiprocessing.util.spawnv_passfds", (b"/usr/bin/touch", [WITNESS], [])),
        ("marshal.loads", (b"N",)),
        ("types.FunctionType", (None, {})),
        ("types.CodeType", ()),
        ("pickle.loads", (b"cos\nsystem\n.",)),
        ("_pickle.loads", (b"cos\nsystem\n.",)),
        ("joblib.load", (WITNESS,)),
        ("joblib.numpy_pickle.load", (WITNESS,)),
        ("cloudpickle.cloudpickle._make_function", (None,)),
        ("dill.loads", (b"",)),
        ("torch.load", (WITNESS,)),
        ("torch.hub.load", ("a/b", "c")),
        ("numpy.load", (WITNESS,)),
        ("numpy.memmap", (WITNESS, "u1", "w+", 0, (1,))),
        ("numpy.fromfile", (WITNESS,)),
        ("numpy.testing._private.utils.runstring", (_OPEN, {})),
        ("numpy.f2py.crackfortran.getlincoef", (_OPEN, {})),
        ("numpy.f2py.diagnose.run_command", (TOUCH,)),
        ("numpy._core.multiarray.__loader__", ()),
        ("numpy.vectorize", (Global("os", "system"),)),
        ("scipy.io.loadmat", (WITNESS,)),
        ("sklearn.__builtins__", ()),
        ("sklearn.datasets.load_svmlight_file", (WITNESS,)),
        ("sklearn.metrics._scorer._passthrough_scorer", (None,)),
        ("lightgbm.basic._LIB", ()),
        ("lightgbm.basic.Dataset", (WITNESS,)),
        ("flight_delay.model.convert.convert_apart", (b"",)),
        ("flight_delay.model.untrusted.reader.load", (b"",)),
        ("operator.attrgetter", ("system",)),
        ("operator.methodcaller", ("system", TOUCH)),
        ("operator.itemgetter", (0,)),
        ("functools.partial", (Global("os", "system"), TOUCH)),
        ("functools.reduce", (Global("os", "system"), [TOUCH, 0])),
        ("copyreg._reconstructor", (Global("builtins", "object"), Global("builtins", "object"), None)),
        ("copyreg.__newobj__", (Global("sklearn.pipeline", "Pipeline"),)),
        ("copyreg.add_extension", ("os", "system", 1)),
        ("builtins.getattr", (Global("os", "path"), "os")),
        ("builtins.setattr", (Global("numpy", "ndarray"), "x", 1)),
        ("sys.modules", ()),
        ("sys.settrace", (Global("os", "system"),)),
        ("atexit.register", (Global("os", "system"), TOUCH)),
        ("threading.Timer", (0, Global("os", "system"), [TOUCH])),
        ("signal.signal", (14, Global("os", "system"))),
        ("site.execsitecustomize", ()),
        ("antigravity.geohash", ()),
        ("no_such_module.no_such_name", ()),
    ]
]
