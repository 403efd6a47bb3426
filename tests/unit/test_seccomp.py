"""The rules given to the kernel before a stranger's file is opened, as the kernel would work them out."""

import os
import resource
import signal
import struct

import pytest

from flight_delay.model.untrusted import landlock, seccomp, syscalls


def answered(program, machine, number, *arguments):
    """Return what a filter answers a system call, as the kernel would work it out."""
    data = struct.pack("=iIQ6Q", number, machine, 0, *(*arguments, *[0] * 6)[:6])
    position, value = 0, 0
    while True:
        code, true, false, operand = program[position]
        if code == seccomp.RETURN:
            return operand
        if code == seccomp.LOAD:
            value = struct.unpack_from("=I", data, operand)[0]
        else:
            holds = {
                seccomp.EQUAL: value == operand,
                seccomp.GREATER: value > operand,
                seccomp.ANY_BIT: value & operand != 0,
            }[code]
            position += true if holds else false
        position += 1


@pytest.mark.parametrize("machine", syscalls.MACHINES)
def test_the_filter_refuses_on_either_machine_what_no_model_needs(machine):
    program, known = seccomp.program(machine, 4711), syscalls.MACHINES[machine]
    number = syscalls.numbers(machine)
    assert all(answered(program, known, each) == seccomp.REFUSE for each in syscalls.refused(machine).values())
    assert answered(program, known, number["clone"], signal.SIGCHLD) == seccomp.REFUSE
    assert answered(program, known, number["clone"], 0x3D0F00) == seccomp.ALLOW
    assert answered(program, known, number["clone3"]) == seccomp.UNKNOWN
    assert answered(program, known, number["openat"], 0, 0, os.O_RDONLY | os.O_CLOEXEC) == seccomp.ALLOW
    assert answered(program, known, number["openat"], 0, 0, os.O_RDWR) == seccomp.REFUSE
    assert answered(program, known, number["tgkill"], 4711, 4712, signal.SIGABRT) == seccomp.ALLOW
    assert answered(program, known, number["tgkill"], 4712, 4712, signal.SIGABRT) == seccomp.REFUSE
    assert answered(program, known, number["prlimit64"], 0, resource.RLIMIT_AS, 0) == seccomp.ALLOW
    assert answered(program, known, number["prlimit64"], 0, resource.RLIMIT_AS, 1 << 32) == seccomp.REFUSE
    assert answered(program, known, number["prctl"], 15) == seccomp.ALLOW
    assert answered(program, known, number["prctl"], 1) == seccomp.REFUSE
    assert answered(program, known, syscalls.NEWEST + 1) == seccomp.UNKNOWN


@pytest.mark.parametrize("machine", syscalls.MACHINES)
def test_the_filter_is_not_got_round_by_other_numbers_of_the_same_calls(machine):
    program, known = seccomp.program(machine, 4711), syscalls.MACHINES[machine]
    assert answered(program, known ^ 1, 0) == seccomp.KILL
    assert answered(program, known, 0x40000000) == seccomp.REFUSE
    assert answered(program, known, -1) == seccomp.REFUSE


@pytest.mark.parametrize("machine", syscalls.MACHINES)
def test_every_number_is_there_once(machine):
    numbers = [*syscalls.numbers(machine).values(), *syscalls.refused(machine).values()]
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) <= syscalls.NEWEST


@pytest.mark.parametrize(
    ("version", "files", "network", "scopes"),
    [(1, 0x1FFF, 0, 0), (2, 0x3FFF, 0, 0), (3, 0x7FFF, 0, 0), (4, 0x7FFF, 3, 0), (5, 0xFFFF, 3, 0), (7, 0xFFFF, 3, 3)],
)
def test_landlock_handles_all_that_the_kernel_knows(version, files, network, scopes):
    assert struct.unpack("=QQQ", landlock.handled(version)) == (files, network, scopes)
