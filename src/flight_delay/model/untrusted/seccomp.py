"""A seccomp filter: this process can compute and read, and ask the kernel for little else (Linux 3.17 and later).

It refuses the network, other programs and processes, and every change of a file, also where there is no
Landlock, and those changes that Landlock does not know: modes, owners, times.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from errno import ENOSYS, EPERM
from typing import NamedTuple

from flight_delay.model.untrusted.kernel import PR_SET_DUMPABLE, PR_SET_PDEATHSIG, call
from flight_delay.model.untrusted.syscalls import MACHINES, NEWEST, numbers, refused

LOAD, EQUAL, GREATER, ANY_BIT, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
ALLOW, KILL = 0x7FFF0000, 0x80000000
REFUSE, UNKNOWN = 0x00050000 | EPERM, 0x00050000 | ENOSYS
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16
_X32 = 0x40000000
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_CLONE_THREAD = 0x00010000
_WRITING = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC


class Instruction(NamedTuple):
    """One instruction of classic BPF: how far to jump where it is true and where it is false, and its operand."""

    code: int
    true: int
    false: int
    operand: int


def restrict() -> bool:
    """Put all threads of this process under the filter; whether the kernel could. Needs no_new_privs."""
    machine = os.uname().machine
    if machine not in MACHINES or sys.maxsize < 2**32:
        return False
    instructions = program(machine, os.getpid())
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in instructions))
    filtered = ctypes.create_string_buffer(struct.pack("@HP", len(instructions), ctypes.addressof(code)))
    number = numbers(machine)["seccomp"]
    return call("syscall", number, _SET_MODE_FILTER, _ALL_THREADS, ctypes.addressof(filtered)) == 0


def program(machine: str, process: int) -> list[Instruction]:
    """Return the filter for a machine and the process of that id, which may send signals to itself."""
    return [
        _load(_MACHINE),
        Instruction(EQUAL, 1, 0, MACHINES[machine]),
        _answer(KILL),
        _load(_NUMBER),
        # Numbers of x32 name the same calls again.
        Instruction(GREATER, 0, 1, _X32 - 1),
        _answer(REFUSE),
        Instruction(GREATER, 0, 1, NEWEST),
        _answer(UNKNOWN),
        *_by_arguments(numbers(machine), process),
        *(step for number in refused(machine).values() for step in _where(number, _answer(REFUSE))),
        _answer(ALLOW),
    ]


def _by_arguments(number: dict[str, int], process: int) -> list[Instruction]:
    allow_or_refuse = [_answer(ALLOW), _answer(REFUSE)]
    refuse_or_allow = [_answer(REFUSE), _answer(ALLOW)]
    writing = [Instruction(ANY_BIT, 0, 1, _WRITING), *refuse_or_allow]
    return [
        *_where(number["clone"], _argument(0), Instruction(ANY_BIT, 0, 1, _CLONE_THREAD), *allow_or_refuse),
        # Their arguments are behind a pointer; the C library then takes clone and openat.
        *_where(number["clone3"], _answer(UNKNOWN)),
        *_where(number["openat2"], _answer(UNKNOWN)),
        *(_where(number["open"], _argument(1), *writing) if "open" in number else []),
        *_where(number["openat"], _argument(2), *writing),
        *_where(number["tgkill"], _argument(0), Instruction(EQUAL, 0, 1, process), *allow_or_refuse),
        *_where(
            number["prctl"],
            _argument(0),
            Instruction(EQUAL, 1, 0, PR_SET_PDEATHSIG),
            Instruction(EQUAL, 0, 1, PR_SET_DUMPABLE),
            *refuse_or_allow,
        ),
        # Limits may be read, not set: the pointer to the new ones, of two halves, must be null.
        *_where(
            number["prlimit64"],
            _argument(2),
            Instruction(EQUAL, 0, 3, 0),
            _load(_ARGUMENTS + 8 * 2 + 4),
            Instruction(EQUAL, 0, 1, 0),
            *allow_or_refuse,
        ),
    ]


def _where(number: int, *steps: Instruction) -> list[Instruction]:
    """Return the steps for one system call; they end in an answer."""
    return [Instruction(EQUAL, 0, len(steps), number), *steps]


def _load(offset: int) -> Instruction:
    return Instruction(LOAD, 0, 0, offset)


def _argument(index: int) -> Instruction:
    """Return what loads the lower half of an argument."""
    return _load(_ARGUMENTS + 8 * index)


def _answer(value: int) -> Instruction:
    return Instruction(RETURN, 0, 0, value)
