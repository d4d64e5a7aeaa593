"""What a process that runs an untrusted estimator may still do: compute, and answer on sockets.

A seccomp filter allows a short list of system calls; every other call, from Python or from compiled
code, fails with EPERM. So the process opens no file, makes no socket, starts no process and signals
no other process. Landlock forbids files and TCP a second time, where the kernel has it. Where there
is no seccomp (macOS, other processors), an audit hook stops Python code only, and ``confine``
reports that.

Sources: seccomp(2), landlock(7), prctl(2); the numbers are those of the kernel's
``asm/unistd_64.h`` (x86-64) and ``asm-generic/unistd.h`` (arm64).
"""

import ctypes
import errno
import os
import platform
import resource
import struct
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .report_store import numeric_settings

SECCOMP, LANDLOCK, AUDIT_HOOK = "seccomp", "landlock", "audit hook"

# Calls by name: their numbers on x86-64 and on arm64 (None: no call of that name).
_ALLOWED: dict[str, tuple[int | None, int | None]] = {
    # memory
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "mremap": (25, 216),
    "madvise": (28, 233), "brk": (12, 214), "membarrier": (324, 283),
    # open descriptors, and new connections to a listening socket
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "lseek": (8, 62),
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
    "epoll_create1": (291, 20), "epoll_ctl": (233, 21), "epoll_wait": (232, None),
    "epoll_pwait": (281, 22), "recvfrom": (45, 207), "sendto": (44, 206), "accept": (43, 202),
    "accept4": (288, 242), "getsockopt": (55, 209), "setsockopt": (54, 208),
    "shutdown": (48, 210), "getsockname": (51, 204), "getpeername": (52, 205),
    # threads and signals of this process
    "futex": (202, 98), "set_robust_list": (273, 99), "get_robust_list": (274, 100),
    "rseq": (334, 293), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "sigaltstack": (131, 132), "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123), "gettid": (186, 178), "getpid": (39, 172),
    "exit": (60, 93), "exit_group": (231, 94), "restart_syscall": (219, 128),
    # clocks, random numbers, and what the machine is
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101), "gettimeofday": (96, 169), "time": (201, None),
    "getrandom": (318, 278), "getrusage": (98, 165), "sysinfo": (99, 179), "uname": (63, 160),
    "getuid": (102, 174), "geteuid": (107, 175),
}  # fmt: skip
# Whether these are allowed depends on an argument: see _filter.
_CLONE, _CLONE3, _FCNTL = (56, 220), (435, 435), (72, 25)
_IOCTL, _PRLIMIT, _TGKILL = (16, 29), (302, 261), (234, 131)

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, AUDIT_ARCH_…

_ALLOW, _KILL = 0x7FFF0000, 0x80000000  # SECCOMP_RET_…
_FAIL = 0x00050000  # with an errno in its lower half
_LOAD, _EQUAL, _ABOVE, _BITS, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06  # BPF_…
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data

_PR_SET_NO_NEW_PRIVS, _PR_GET_SECCOMP, _PR_SET_SECCOMP = 38, 21, 22
_CLONE_THREAD, _FIONBIO, _F_GETFL = 0x10000, 0x5421, 3
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446

_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "VIRTUAL_ENV")
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

# What Python code may not do where there is only the audit hook:
# https://docs.python.org/3/library/audit_events.html
_FORBIDDEN = frozenset({
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system",
    "pty.spawn", "subprocess.Popen", "os.chmod", "os.chown", "os.kill", "os.link", "os.mkdir",
    "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate", "shutil.rmtree",
    "shutil.move", "shutil.copyfile", "socket.bind", "socket.connect", "socket.sendto",
    "socket.getaddrinfo", "ftplib.connect", "urllib.Request",
})  # fmt: skip


class ConfinementError(RuntimeError):
    """This machine cannot confine a process as SCORER_CONFINEMENT requires."""


@dataclass(frozen=True)
class Confinement:
    """The limits of a process: bytes of memory, seconds of processor time (0: no limit).

    ``required``: the process must not run at all where there is no seccomp.
    """

    memory: int
    seconds: int = 0
    required: bool = False


def bare_environment(root: Path) -> dict[str, str]:
    """The environment of a process that must hold no secret of the server; ``root`` has our code.

    No keys and no addresses, only the variables that choose numpy's arithmetic, and one thread.
    """
    kept = {key: os.environ[key] for key in _KEPT if key in os.environ} | numeric_settings()
    path = os.pathsep.join(dict.fromkeys([str(root), *filter(None, sys.path)]))
    return kept | dict.fromkeys(_ONE_THREAD, "1") | {
        "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "JOBLIB_MULTIPROCESSING": "0",
    }  # fmt: skip


def confine(room: Confinement) -> list[str]:
    """From here on this process can open, start and reach nothing. Returns the means in force.

    Import and open everything it needs before. Raises ConfinementError.
    """
    there = means()
    if room.required and SECCOMP not in there:
        raise ConfinementError(
            "SCORER_CONFINEMENT is required, and this system has no seccomp filter for "
            f"{platform.machine()}"
        )
    resource.setrlimit(resource.RLIMIT_AS, (room.memory, room.memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if room.seconds:
        resource.setrlimit(resource.RLIMIT_CPU, (room.seconds, room.seconds + 2))
    if SECCOMP not in there:
        sys.addaudithook(_refuse)
        return there
    libc = _libc()
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise ConfinementError(os.strerror(ctypes.get_errno()))
    if LANDLOCK in there:
        _restrict_by_landlock(libc)
    program = _filter(platform.machine(), os.getpid())
    code = ctypes.create_string_buffer(program, len(program))
    given = ctypes.create_string_buffer(
        struct.pack("HP", len(program) // 8, ctypes.addressof(code))
    )
    if libc.prctl(_PR_SET_SECCOMP, 2, ctypes.byref(given), 0, 0):
        raise ConfinementError(os.strerror(ctypes.get_errno()))
    return there


@cache
def means() -> list[str]:
    """The means by which this system can confine a process, the strongest first."""
    known = sys.platform == "linux" and platform.machine() in _MACHINES and sys.maxsize > 2**32
    if not known or _libc().prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) < 0:
        return [AUDIT_HOOK]
    return [SECCOMP, LANDLOCK] if _landlock_version(_libc()) > 0 else [SECCOMP]


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _filter(machine: str, pid: int) -> bytes:
    """The filter's program: an instruction is 8 bytes, a jump counts the instructions skipped."""
    column, architecture = _MACHINES[machine]
    allow, refuse = _step(_RETURN, _ALLOW), _step(_RETURN, _FAIL | errno.EPERM)
    steps = [
        _load(_ARCHITECTURE),
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, _KILL),
        _load(_NUMBER),
    ]
    for numbers in _ALLOWED.values():
        if (number := numbers[column]) is not None:
            steps += [_step(_EQUAL, number, 0, 1), allow]
    for numbers, own in (
        # a new thread, not a new process; clone3 hides its flags from a filter, and glibc can do
        # without it
        (_CLONE, [_load_argument(0), _step(_BITS, _CLONE_THREAD, 0, 1), allow]),
        (_CLONE3, [_step(_RETURN, _FAIL | errno.ENOSYS)]),
        # no F_SETOWN, by which a descriptor sends signals to other processes
        (_FCNTL, [_load_argument(1), _step(_ABOVE, _F_GETFL, 1, 0), allow]),
        (_IOCTL, [_load_argument(1), _step(_EQUAL, _FIONBIO, 0, 1), allow]),
        # limits are read, not set
        (_PRLIMIT, [_load_argument(2), _step(_EQUAL, 0, 0, 3), _load_argument(2, half=1),
                    _step(_EQUAL, 0, 0, 1), allow]),
        (_TGKILL, [_load_argument(0), _step(_EQUAL, pid, 0, 1), allow]),
    ):  # fmt: skip
        steps += [_step(_EQUAL, numbers[column], 0, len(own) + 1), *own, refuse]
    return b"".join([*steps, refuse])


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", code, then, otherwise, value)


def _load(offset: int) -> bytes:
    return _step(_LOAD, offset)


def _load_argument(index: int, half: int = 0) -> bytes:
    return _load(_ARGUMENTS + 8 * index + 4 * half)  # both machines put the lower half first


def _landlock_version(libc: Any) -> int:
    version: int = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    return version


def _restrict_by_landlock(libc: Any) -> None:
    """Have Landlock forbid every access that this kernel's version knows."""
    version = _landlock_version(libc)
    files = sum(
        bits for since, bits in ((1, 0x1FFF), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))
        if version >= since
    )  # fmt: skip
    rules = struct.pack("QQQ", files, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    known = 8 if version < 4 else 16 if version < 6 else 24  # bytes of the structure
    rule_set = libc.syscall(_LANDLOCK_CREATE, rules, ctypes.c_size_t(known), 0)
    if rule_set < 0 or libc.syscall(_LANDLOCK_RESTRICT, rule_set, 0):
        raise ConfinementError(f"Landlock: {os.strerror(ctypes.get_errno())}")
    os.close(rule_set)


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    opens = event == "open" and bool(args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    if opens or event in _FORBIDDEN:
        raise PermissionError(f"{event} is not allowed where a model runs")
