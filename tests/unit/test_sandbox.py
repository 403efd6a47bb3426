"""What a stranger's file can do once it is opened: compute, read Python and its folder, answer, and nothing else."""

import contextlib
import os
import pickle
import resource
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import SOURCE

from flight_delay.errors import ConversionFailed, ModelRefused
from flight_delay.model.untrusted import sandbox
from flight_delay.model.untrusted.sandbox import Limits, run_apart

LIMITS = Limits(seconds=20, memory_mb=512, output_mb=4)
LOOP = "while True: pass"
ANSWER = 3
"""The descriptor to which the process writes its answer."""


@pytest.fixture
def folder(tmp_path):
    own = tmp_path / "folder"
    own.mkdir()
    return own


@pytest.fixture
def run(tmp_path, folder, monkeypatch):
    """Run lines of Python as the opening of a file; `before` is run when the module is imported."""
    modules = tmp_path / "modules"
    modules.mkdir()
    monkeypatch.setattr(sandbox, "_PACKAGES", f"{sandbox._PACKAGES}{os.pathsep}{modules}")

    def run(code, *arguments, before="", limits=LIMITS, given_up=None):
        body = textwrap.indent(textwrap.dedent(code), "    ")
        (modules / "opener.py").write_text(f"{textwrap.dedent(before)}\ndef main(*arguments):\n{body}\n")
        return run_apart("opener", [str(argument) for argument in arguments], folder, limits, given_up)

    return run


@pytest.fixture
def tried(run):
    """Try an expression in the confined process; return the name of the error, or what it gives."""

    def tried(expression, *arguments, needs=(), before=""):
        code = f"""
        try:
            return str({expression}).encode()
        except OSError as error:
            return errno.errorcode[error.errno].encode()
        """
        imports = "import ctypes, errno, os, pathlib, signal, socket, resource, subprocess, threading\n"
        answer = run(code, *arguments, before=imports + before)
        if needs and not set(needs) & set(answer.confined):
            pytest.skip(f"this kernel has none of {needs}")
        return answer.content.decode()

    return tried


def gone(process, seconds=5):
    """Whether a process ends soon; one that only waits to be collected has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                time.sleep(0.05)
                continue
        return True
    return False


def test_what_main_returns_is_the_answer(run):
    answer = run("return b'one\\ntwo' + arguments[0].encode()", "three")
    assert answer.content == b"one\ntwothree"


@pytest.mark.skipif(sys.platform != "linux", reason="no other system has any of it")
def test_what_was_given_up_is_listed(run):
    confined = run("return b''").confined
    assert "no_new_privs" in confined
    assert set(confined) <= {
        "memory_private", "network_namespace", "capabilities", "no_new_privs", "landlock", "seccomp", "no_processes"
    }  # fmt: skip


def test_what_libraries_print_is_no_part_of_the_answer(run):
    assert run("print('hello', flush=True); return b'answer'").content == b"answer"


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"])
def test_there_is_no_socket(tried, family):
    assert tried(f"socket.socket(socket.{family})", needs=["seccomp"]) == "EPERM"


def test_a_server_on_the_same_machine_is_out_of_reach(tried):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        needs = ["seccomp", "landlock", "network_namespace"]
        assert tried(f"socket.create_connection(('127.0.0.1', {port}), 5)", needs=needs) in {"EPERM", "EACCES"}


@pytest.mark.parametrize(
    "expression",
    [
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "subprocess.run(['/bin/true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
    ],
)
def test_no_other_program_and_no_other_process_is_started(tried, expression):
    assert tried(expression, needs=["seccomp"]) in {"EPERM", "EACCES"}


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", "/proc/1/environ"])
def test_the_system_is_not_read(tried, path):
    assert tried(f"open('{path}').read(1)", needs=["landlock"]) == "EACCES"


def test_a_secret_elsewhere_is_not_read(tried, tmp_path):
    secret = tmp_path / ".env"
    secret.write_text("KEY=secret")
    assert tried("open(arguments[0]).read()", secret, needs=["landlock"]) == "EACCES"
    assert tried("os.listdir(arguments[0])", tmp_path, needs=["landlock"]) == "EACCES"


def test_a_link_in_the_folder_leads_to_no_secret(tried, tmp_path, folder):
    (tmp_path / ".env").write_text("KEY=secret")
    (folder / "link").symlink_to(tmp_path / ".env")
    assert tried("open('link').read()", needs=["landlock"]) == "EACCES"


def test_the_parent_is_neither_read_nor_killed(tried, monkeypatch):
    monkeypatch.setenv("FLIGHT_DELAY_SECRET", "secret")
    assert tried("open(f'/proc/{os.getppid()}/environ').read()", needs=["landlock"]) == "EACCES"
    assert tried("os.kill(os.getppid(), signal.SIGTERM)", needs=["seccomp", "landlock"]) == "EPERM"
    assert tried("resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (9, 9))", needs=["seccomp"]) == "EPERM"


def test_the_environment_holds_no_setting(tried, monkeypatch):
    monkeypatch.setenv("FLIGHT_DELAY_SECRET", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    names = tried("' '.join(os.environ)").split()
    assert "PYTHONPATH" in names
    assert not [name for name in names if "SECRET" in name or name.startswith("FLIGHT_DELAY_")]


def test_no_open_file_is_inherited(tried, tmp_path):
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        assert tried(f"os.write({file.fileno()}, b'x')") == "EBADF"


def test_its_folder_is_read(tried, folder):
    (folder / "model.joblib").write_text("model")
    assert tried("open('model.joblib').read()") == "model"


@pytest.mark.parametrize(
    "expression",
    [
        "open('new', 'w')",
        "open('model.joblib', 'r+')",
        "open(arguments[0], 'a')",
        "os.unlink('model.joblib')",
        "os.rename('model.joblib', 'other')",
        "os.symlink('/etc/passwd', 'link')",
        "os.link('model.joblib', 'link')",
        "os.mkdir('new')",
        "os.mkfifo('new')",
        "os.chmod('model.joblib', 0o777)",
        "os.chmod(arguments[0], 0o777)",
        "os.utime(arguments[0])",
        "os.truncate(arguments[0], 0)",
        "os.setxattr(arguments[0], 'user.x', b'')",
        "os.memfd_create('x')",
    ],
)
def test_nothing_is_written_anywhere(tried, tmp_path, folder, expression):
    database = tmp_path / "history.db"
    database.write_text("rows")
    (folder / "model.joblib").write_text("model")
    assert tried(expression, database, needs=["seccomp"]) in {"EPERM", "EACCES"}
    assert database.read_text() == "rows"
    assert [path.name for path in folder.iterdir()] == ["model.joblib"]


def test_without_any_help_of_the_kernel_no_byte_is_written(run, folder):
    """The limit of the size of a file is every system's; it holds from the very beginning."""
    before = """
    import errno
    try:
        with open("new", "wb", buffering=0) as file:
            file.write(b"x")
    except OSError as error:
        found = errno.errorcode[error.errno]
    """
    assert run("return found.encode()", before=before).content == b"EFBIG"
    assert (folder / "new").read_bytes() == b""


@pytest.mark.parametrize("kind", ["RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"])
def test_limits_are_for_good(run, kind):
    code = f"""
    assert -1 not in resource.getrlimit(resource.{kind})
    resource.setrlimit(resource.{kind}, (resource.RLIM_INFINITY,) * 2)
    """
    with pytest.raises(ModelRefused, match="not allowed to raise maximum limit"):
        run(code, before="import resource")


@pytest.mark.parametrize("option", [1, 4], ids=["outliving its parent", "being looked into"])
def test_what_was_given_up_is_not_taken_back(tried, option):
    assert tried(f"ctypes.CDLL(None).prctl({option}, 0, 0, 0, 0)", needs=["seccomp"]) == "-1"


def test_root_is_root_no_more(tried):
    """A service that runs as root leaves its file no capability: they are three bit masks, all of them 0."""
    before = """
def held():
    header = ctypes.create_string_buffer((0x20080522).to_bytes(4, "little"), 8)
    masks = (ctypes.c_uint32 * 6)()
    assert ctypes.CDLL(None).capget(header, masks) == 0
    return list(masks)
"""
    assert tried("held()", needs=["capabilities"], before=before) == "[0, 0, 0, 0, 0, 0]"


def test_threads_are_started(run):
    code = """
    seen = []
    thread = threading.Thread(target=seen.append, args=(b"seen",))
    thread.start()
    thread.join()
    return seen[0]
    """
    assert run(code, before="import threading").content == b"seen"


@pytest.mark.parametrize("kind", ["clock", "processor"])
def test_a_loop_without_end_is_ended(run, kind):
    code = LOOP if kind == "processor" else "import time; time.sleep(60)"
    with pytest.raises(ModelRefused, match="refused_time: seconds=1"):
        run(code, limits=LIMITS._replace(seconds=1))


@pytest.mark.parametrize(
    "code",
    [
        "return bytearray(2 ** 30)",
        "import numpy; numpy.ones(2 ** 28)",
        "kept = []\nwhile True: kept.append(bytearray(2 ** 20))",
        "raise RuntimeError('std::bad_alloc')",
        "raise MemoryError",
    ],
)
def test_too_much_memory_is_told_apart(run, code):
    with pytest.raises(ModelRefused, match="refused_memory: megabytes=512"):
        run(code)


def test_a_kernel_without_memory_kills():
    assert sandbox._ending(-signal.SIGKILL, "", LIMITS).key == "refused_memory"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("import os; os.abort()", "SIGABRT"),
        ("raise KeyError('surprise')", "KeyError: 'surprise'"),
        ("raise KeyError('\\n\\x1b[31m' + 'x' * 9999)", "x"),
        ("import os; os._exit(7)", "exit 7"),
        ("import os; os._exit(3)", "exit 3"),
        ("return 'no bytes'", "a bytes-like object is required"),
    ],
)
def test_a_crash_is_named(run, code, problem):
    with pytest.raises(ModelRefused, match="refused_crashed") as caught:
        run(code)
    assert problem in caught.value.facts["problem"]
    assert len(caught.value.facts["problem"]) <= 200
    assert caught.value.facts["problem"].isprintable()


def test_what_cannot_be_imported_is_named(run):
    with pytest.raises(ModelRefused, match="No module named 'nonsense'"):
        run("pass", before="import nonsense")


@pytest.mark.parametrize(
    ("descriptor", "megabytes"), [(1, 1), (2, 1), (ANSWER, 4)], ids=["standard output", "standard error", "answer"]
)
def test_gigabytes_of_output_are_not_read(run, descriptor, megabytes):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelRefused, match=f"refused_output: megabytes={megabytes}"):
        run(f"while True: os.write({descriptor}, b'x' * 2 ** 20)", before="import os")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 64 * 1024


def test_a_refusal_is_passed_on_with_its_facts(run):
    code = "raise ModelRefused('refused_names', names='os.system, ' + 'x' * 999)"
    with pytest.raises(ModelRefused) as caught:
        run(code, before="from flight_delay.errors import ModelRefused")
    assert caught.value.key == "refused_names"
    assert caught.value.facts == {"names": "os.system, " + "x" * 489}


def test_a_failed_conversion_is_passed_on(run):
    with pytest.raises(ConversionFailed, match="too deep"):
        run("raise ConversionFailed('too deep')", before="from flight_delay.errors import ConversionFailed")


@pytest.mark.parametrize("lie", [b'{"reason": "healthy", "facts": {}}', b"x" * 2**21], ids=["invented", "long"])
def test_a_process_that_lies_has_only_crashed(run, lie):
    with pytest.raises(ModelRefused, match="refused_crashed: problem=exit 3"):
        run(f"os.write({ANSWER}, {lie!r}); os._exit(3)", before="import os")


def test_what_it_started_ends_with_it(run):
    before = """
    import subprocess
    child = subprocess.Popen(["/bin/sleep", "1000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    """
    assert gone(int(run("return str(child.pid).encode()", before=before).content))


def test_it_is_given_up_when_the_service_stops(run):
    given_up = threading.Event()
    threading.Timer(1, given_up.set).start()
    started = time.monotonic()
    with pytest.raises(ModelRefused, match="refused_given_up"):
        run(LOOP, given_up=given_up)
    assert time.monotonic() - started < 5


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has ended")
def test_it_dies_with_its_parent(tmp_path, folder):
    (tmp_path / "opener.py").write_text(
        "import os, time\ndef main(path):\n    os.write(2, str(os.getpid()).encode()); time.sleep(1000)\n"
    )
    code = f"""
import os, sys
from pathlib import Path
from flight_delay.model.untrusted import sandbox
sandbox._PACKAGES += os.pathsep + {str(tmp_path)!r}
read = sandbox._read
def shown(descriptor, pipe):
    more = read(descriptor, pipe)
    os.write(1, pipe.kept)
    return more
sandbox._read = shown
sandbox.run_apart("opener", ["x"], Path({str(folder)!r}))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(SOURCE)}, stdout=subprocess.PIPE
    ) as parent:
        said = b""
        while not said.rpartition(b"]\n")[2].strip().isdigit():
            said = os.read(parent.stdout.fileno(), 4096)
        parent.kill()
    assert gone(int(said.rpartition(b"]\n")[2]))


def test_models_answer_in_there_as_they_do_out_here(run, folder):
    """LightGBM and a forest that was fitted with two jobs, unpickled and asked."""
    from lightgbm import LGBMRegressor
    from sklearn.ensemble import RandomForestRegressor

    rows = np.random.default_rng(1).normal(size=(300, 4))
    models = [LGBMRegressor(n_estimators=5, verbose=-1, n_jobs=2), RandomForestRegressor(5, n_jobs=2)]
    for model in models:
        model.fit(rows, rows[:, 0])
    (folder / "models.pickle").write_bytes(pickle.dumps((models, rows)))
    code = """
    with open("models.pickle", "rb") as file:
        models, rows = pickle.load(file)
    return numpy.concatenate([model.predict(rows) for model in models]).tobytes()
    """
    before = "import pickle, warnings, numpy, lightgbm, sklearn.ensemble\nwarnings.simplefilter('error')"
    told = np.frombuffer(run(code, before=before, limits=Limits()).content)
    np.testing.assert_allclose(told, np.concatenate([model.predict(rows) for model in models]), rtol=1e-12)
