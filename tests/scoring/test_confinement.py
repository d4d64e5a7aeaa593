"""A confined process computes, and opens, starts and reaches nothing: not in Python, not in C."""

import json
import platform
import subprocess
import sys

import pytest

from predictor.artifacts import confinement
from predictor.artifacts.confinement import SECCOMP, Confinement, ConfinementError, confine, means
from tests.servers import ROOT

pytestmark = pytest.mark.skipif(SECCOMP not in means(), reason="this system has no seccomp filter")

# The attempts are made by compiled code (libc), so no audit hook of Python's sees them.
PROBE = """
import ctypes, errno, json, os, resource, signal, socket, sys, threading
import numpy as np
from predictor.artifacts.confinement import Confinement, confine

listening = socket.create_server(("127.0.0.1", 0))
caller = socket.create_connection(listening.getsockname())
readable = os.open("/etc/passwd", os.O_RDONLY)
libc = ctypes.CDLL(None, use_errno=True)
parent, path = os.getppid(), sys.argv[1].encode()
other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
used = confine(Confinement(memory=2**31))

def call(name, *arguments):
    ctypes.set_errno(0)
    answer = getattr(libc, name)(*arguments)
    return "done" if answer != -1 else errno.errorcode[ctypes.get_errno()]

buffer = ctypes.create_string_buffer(256)
sides = (ctypes.c_int * 2)()
found = {
    "open": call("open", b"/etc/passwd", 0),
    "create": call("open", path, os.O_CREAT | os.O_WRONLY, 0o600),
    "look": call("access", b"/etc/passwd", 0),
    "list": call("open", b"/", os.O_DIRECTORY),
    "remove": call("unlink", path),
    "folder": call("mkdir", path, 0o700),
    "link": call("symlink", b"/etc/passwd", path),
    "memory file": call("memfd_create", b"x", 0),
    "socket": call("socket", socket.AF_INET, socket.SOCK_STREAM, 0),
    "unix socket": call("socket", socket.AF_UNIX, socket.SOCK_STREAM, 0),
    "netlink": call("socket", socket.AF_NETLINK, socket.SOCK_RAW, 0),
    "pair": call("socketpair", socket.AF_UNIX, socket.SOCK_STREAM, 0, sides),
    "connect": call("connect", other.fileno(), path, 16),
    "bind": call("bind", other.fileno(), path, 16),
    "send a file": call("sendmsg", caller.fileno(), buffer, 0),
    "fork": call("fork"),
    "vfork": call("syscall", 58 if os.uname().machine == "x86_64" else 220, 0x4111),
    "program": call("execve", b"/bin/true", None, None),
    "kill": call("kill", parent, 0),
    "kill itself by group": call("kill", 0, 0),
    "signal another's thread": call("syscall", 234 if os.uname().machine == "x86_64" else 131,
                                    parent, parent, 0),
    "signal by descriptor": call("fcntl", caller.fileno(), 8, parent),
    "trace": call("ptrace", 16, parent, None, None),
    "read another's memory": call("process_vm_readv", parent, None, 0, None, 0, 0),
    "raise a limit": call("setrlimit", resource.RLIMIT_NOFILE, buffer),
    "key ring": call("syscall", 250 if os.uname().machine == "x86_64" else 219, 0, 0),
    "terminal": call("ioctl", caller.fileno(), 0x5412, b"x"),
    "namespace": call("unshare", 0x10000000),
    "mount": call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "priority": call("setpriority", 0, parent, 5),
    "ring": call("syscall", 425, 1, buffer),
}
try:
    bytearray(2**33)
    found["all memory"] = "done"
except MemoryError:
    found["all memory"] = "ENOMEM"
answers = []
thread = threading.Thread(target=lambda: answers.append(float(np.linalg.inv(np.eye(60)).sum())))
thread.start()
thread.join()
accepted, _ = listening.accept()
caller.sendall(b"row")
accepted.settimeout(5)
can = {"thread": answers, "caller": accepted.recv(3).decode(), "read": len(os.read(readable, 5)),
       "clone3": call("syscall", 435, None, 0),
       "limits": resource.getrlimit(resource.RLIMIT_CORE)[0]}
print(json.dumps([used, found, can]))
"""


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    target = tmp_path_factory.mktemp("confined") / "target"
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(target)], cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert not target.exists()
    return json.loads(done.stdout)


@pytest.mark.slow
def test_it_opens_starts_and_reaches_nothing(tried):
    _, found, _ = tried
    assert {name: how for name, how in found.items() if how not in ("EPERM", "ENOMEM")} == {}
    assert found["all memory"] == "ENOMEM"


@pytest.mark.slow
def test_it_computes_in_threads_and_answers_callers(tried):
    used, _, can = tried
    assert SECCOMP in used
    # glibc tries clone3 first, and falls back if it is unknown
    assert can == {"thread": [60.0], "caller": "row", "read": 5, "clone3": "ENOSYS", "limits": 0}


@pytest.mark.parametrize("machine", confinement._MACHINES)
def test_each_processor_has_a_filter_of_whole_jumps(machine):
    """No jump leads out of the program, and each call is named once."""
    program = confinement._filter(machine, pid=1)
    steps = [program[at : at + 8] for at in range(0, len(program), 8)]
    for at, step in enumerate(steps):
        assert at + 1 + max(step[2], step[3]) <= len(steps), at
    assert len(steps) < 4096  # the kernel's most
    column = confinement._MACHINES[machine][0]
    numbers = [one[column] for one in confinement._ALLOWED.values() if one[column] is not None]
    assert len(numbers) == len(set(numbers))


def test_where_it_is_required_nothing_runs_without(monkeypatch):
    monkeypatch.setattr(confinement, "means", lambda: [confinement.AUDIT_HOOK])
    with pytest.raises(ConfinementError, match="SCORER_CONFINEMENT is required"):
        confine(Confinement(memory=2**30, required=True))


def test_an_unknown_processor_has_only_the_audit_hook(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    means.cache_clear()
    try:
        assert means() == [confinement.AUDIT_HOOK]
    finally:
        means.cache_clear()
