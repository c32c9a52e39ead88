"""Keeps one shell: starts it on a terminal, with less than the box's program may, and leaves nothing of it behind.

    keeper.py TERMINAL SECONDS PORTS HIDDEN…

TERMINAL is an open descriptor. The shell cannot reach the TCP ports PORTS (with commas between them), lets nobody reach it,
cannot open the files, folders and devices HIDDEN, and writes to its terminal alone, where the kernel can see to that. Where it
cannot, the shell's first lines say so.

It is a program of its own so that a box that hangs, or is killed, still lets nobody stay: it ends everything when its time is
over, when the shell is left, or when its standard input is closed, which a dead box does. Whatever the shell started is found,
also what called itself a daemon: orphans come to their keeper (PR_SET_CHILD_SUBREAPER). It needs the standard library alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import select
import signal
import struct
import sys
import termios
from collections.abc import Callable, Iterable

PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER = 38, 36
TASKS_MORE = 48  # beside the box's own threads, of the 128 that its service may have
FILE_BYTES_MAX = 2**20  # where Landlock is missing; with it there is no file to write to
MEMORY_BYTES_MAX = (
    128 * 2**20
)  # of each; where all of them take too much, the kernel ends them first, by their score
NICE = 15
ROUNDS_MAX = 200  # of finding and killing; what forks in between is stopped first, so that a few are enough
PAUSE_S = 0.01

libc = ctypes.CDLL(None, use_errno=True)


def main() -> int:
    """Run one shell to its end; the exit status is the shell's."""
    terminal, seconds, hidden = int(sys.argv[1]), int(sys.argv[2]), sys.argv[4:]
    ports = {int(one) for one in sys.argv[3].split(",") if one}
    near, far = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(far, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGALRM):
        signal.signal(number, lambda *_: None)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    adopt(yes=True)
    # Before anybody is born, so that whoever descends from here is known by it for ever.
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    narrowed = narrow()
    shell = os.fork()
    if shell == 0:
        try:
            become(terminal, hidden, ports, narrowed=narrowed)
        finally:
            os._exit(127)
    os.close(terminal)
    signal.alarm(seconds)
    status = watch(shell, near)
    end_all(lambda: descendants({os.getpid()}))
    return status


def adopt(*, yes: bool) -> None:
    """Whether orphans among the descendants of this process come to it, and not to the machine's first process."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, int(yes), 0, 0, 0)


def watch(shell: int, bell: int) -> int:
    """Wait for the shell to be left, for the time to be over, or for the box to close the door."""
    poll = select.poll()
    poll.register(bell, select.POLLIN)
    poll.register(0, select.POLLIN)
    while True:
        for found, _ in poll.poll():
            if found == 0 and not os.read(0, 64):
                return 129
            if found == bell and signal.SIGALRM in os.read(bell, 64):
                return 124
        for gone, status in reaped():
            if gone == shell:
                return os.waitstatus_to_exitcode(status) & 0xFF


def reaped(of: Iterable[int] = (-1,)) -> list[tuple[int, int]]:
    """Whoever of these has ended, or of all."""
    found = []
    for who in of:
        with contextlib.suppress(ChildProcessError):
            while (one := os.waitpid(who, os.WNOHANG))[0]:
                found.append(one)
    return found


def end_all(whom: Callable[[], set[int]]) -> None:
    """End all of them, whoever they are at each moment. Stop them first, so that nobody is born meanwhile."""
    for _ in range(ROUNDS_MAX):
        stopped: set[int] = set()
        while fresh := whom() - stopped:
            for one in fresh:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(one, signal.SIGSTOP)
            stopped |= fresh
        for one in stopped:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(one, signal.SIGKILL)
        reaped(stopped)
        if not stopped:
            return
        select.select([], [], [], PAUSE_S)


def descendants(roots: set[int]) -> set[int]:
    """Everything that comes from these, without them, and lives."""
    parents = living()
    found: set[int] = set()
    more = roots
    while more:
        more = {one for one, parent in parents.items() if parent in more} - found
        found |= more
    return found


def children(parent: int) -> set[int]:
    """Whoever lives and has this parent."""
    return {one for one, above in living().items() if above == parent}


def living() -> dict[int, int]:
    """Everybody, with his parent."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                state, parent = file.read().rpartition(b")")[2].split()[:2]
                if state not in (b"Z", b"X"):
                    parents[int(name)] = int(parent)
    return parents


def become(terminal: int, hidden: list[str], ports: set[int], *, narrowed: bool) -> None:
    """Be the shell: a session of its own on that terminal, and less than the box's program may."""
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for number in (0, 1, 2):
        os.dup2(terminal, number)
    os.closerange(3, 1024)
    os.chdir("/")
    os.umask(0o077)
    limit()
    files, doors = hide(hidden, ports)
    if not files:
        os.write(1, b"This kernel hides nothing: the box's own files, its key among them, are open here.\r\n")
    if not (narrowed and doors):
        os.write(1, b"This kernel keeps no door shut: the till's page can be pressed from here.\r\n")
    for number in (
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGPIPE,
        signal.SIGCHLD,
        signal.SIGALRM,
    ):
        signal.signal(number, signal.SIG_DFL)
    surroundings = {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": "/",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "HISTFILE": "/dev/null",
    }
    for name, *words in (("/bin/bash", "--norc", "--noprofile", "-i"), ("/bin/sh", "-i")):
        with contextlib.suppress(OSError):
            os.execve(name, [os.path.basename(name), *words], surroundings)


def limit() -> None:
    """A limit that somebody has set lower already stays as it is."""
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, FILE_BYTES_MAX),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
        (resource.RLIMIT_NPROC, tasks() + TASKS_MORE),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))
    with contextlib.suppress(OSError):
        os.nice(NICE)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("800")


def tasks() -> int:
    """How many tasks this user has: a limit counts all of them."""
    count = 0
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{name}").st_uid == os.getuid():
                    count += len(os.listdir(f"/proc/{name}/task"))
    return count


# what the shell cannot open or reach, by Landlock: it names what is allowed, and that is all the rest

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG, PATH_BENEATH, NET_PORT = 1, 1, 2
FILE_RIGHTS = 0b111 | 1 << 14  # execute, write, read; truncate
READ_RIGHTS = 0b1101  # execute, read, list
WRITTEN = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/ptmx", "/dev/pts")
ALL_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1}
NEWEST_RIGHTS = (1 << 15) - 1
LIST = 1 << 3
BIND, CONNECT = 1 << 0, 1 << 1  # since Linux 6.7; nothing is allowed to bind
SIGNALS = 1 << 1  # since Linux 6.12: it can end nothing that it did not start, the box's program least of all


class Ruleset(ctypes.Structure):
    """struct landlock_ruleset_attr. An older kernel takes it as long as what it does not know is nought."""

    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class Port(ctypes.Structure):
    """struct landlock_net_port_attr."""

    _fields_ = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


class Beneath(ctypes.Structure):
    """struct landlock_path_beneath_attr."""

    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def hide(hidden: list[str], ports: set[int]) -> tuple[bool, bool]:
    """Let this process and all that it starts open nothing of these, and neither reach one of these ports nor have one of its
    own; whether the kernel can do the one, and the other."""
    version = libc.syscall(CREATE_RULESET, None, 0, VERSION_FLAG)
    if version < 1 or not hidden:
        return False, False
    rights = ALL_RIGHTS.get(version, NEWEST_RIGHTS)
    told = Ruleset(rights, BIND | CONNECT if version >= 4 else 0, SIGNALS if version >= 6 else 0)
    ruleset = libc.syscall(CREATE_RULESET, ctypes.byref(told), ctypes.sizeof(told), 0)
    if ruleset < 0:
        return False, False
    ways = [(path, READ_RIGHTS) for path in allowed("/", [os.path.realpath(one) for one in hidden])]
    ways += [(path, rights) for path in WRITTEN]
    for path, mine in (("/", LIST), *ways):  # names are no secret, and without them nobody finds his way
        with contextlib.suppress(OSError):
            folder = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
            rule = Beneath(mine if os.path.isdir(path) else mine & FILE_RIGHTS, folder)
            libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), 0)
            os.close(folder)
    for number in range(1, 65_536) if version >= 4 else ():
        if number not in ports:
            one = Port(CONNECT, number)
            libc.syscall(ADD_RULE, ruleset, NET_PORT, ctypes.byref(one), 0)
    done = bool(libc.syscall(RESTRICT_SELF, ruleset, 0) == 0)
    os.close(ruleset)
    return done, done and version >= 4


def allowed(at: str, hidden: list[str]) -> list[str]:
    """All beside the way to what is hidden. A link is not: it may lead there, and what it leads to has a name of its own."""
    if at in hidden or os.path.islink(at):
        return []
    if not any(one.startswith(at.rstrip("/") + "/") for one in hidden):
        return [at]
    found = []
    with contextlib.suppress(OSError):
        for name in os.listdir(at):
            found += allowed(os.path.join(at, name), hidden)
    return found


# what Landlock does not see, by a filter of system calls: TCP that is called something else, or begins without connect(); and
# files that are changed without being opened

PR_SET_SECCOMP, FILTER_MODE = 22, 2
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, MACHINE, ARGUMENTS = (
    0,
    4,
    16,
)  # struct seccomp_data; an argument has eight bytes, and these are in its lower four
ALLOW, REFUSE = 0x7FFF_0000, 0x0005_0001  # with EPERM
OTHER_TABLE = 0x4000_0000  # x32 has the same calls by other numbers
FASTOPEN = 0x2000_0000
UNIX, INET, INET6, NETLINK = 1, 2, 10, 16
PROTOCOLS = (
    0,
    6,
    17,
    1,
    58,
)  # the family's own; TCP, UDP, and what ping sends. Not MPTCP, which is TCP by another name
URING = (425, 426, 427)  # does what it is told without a call of its own
# Landlock judges what opens a file, not what changes one by its name: truncate (before Linux 6.2), chmod, chown, setxattr, utime
BY_NAME = {
    "x86_64": (76, 90, 91, 92, 93, 94, 132, 188, 189, 190, 197, 198, 199, 235, 260, 261, 268, 280),
    "aarch64": (5, 6, 7, 14, 15, 16, 45, 52, 53, 54, 55, 88),
}
BY_NAME_LATELY = (452, 463, 466, 469)  # fchmodat2, setxattrat, removexattrat, file_setattr
MACHINES = {
    "x86_64": (0xC000_003E, {"socket": 41, "sendto": 44, "sendmsg": 46, "listen": 50, "sendmmsg": 307}),
    "aarch64": (0xC000_00B7, {"socket": 198, "sendto": 206, "sendmsg": 211, "listen": 201, "sendmmsg": 269}),
}
CAN_NARROW = os.uname().machine in MACHINES and sys.maxsize > 2**32  # programs of 32 bits have other numbers
FLAGS_AT = {"sendto": 3, "sendmsg": 2, "sendmmsg": 3}

Line = tuple[int, int, int, int]
"""One of a filter: what, so many to leave out where it is true, and where it is not, and the operand."""


class Rules(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_uint16), ("lines", ctypes.c_void_p))


def narrow() -> bool:
    """Refuse this process and all that it starts the ways to a TCP port, and to a file, that Landlock does not judge; False
    where that cannot be done, for a machine whose calls are not known here among them."""
    known = MACHINES.get(os.uname().machine)
    if known is None or not CAN_NARROW:
        return False
    names = BY_NAME[os.uname().machine]
    lines = b"".join(struct.pack("=HBBI", *line) for line in rules(*known, names))
    held = ctypes.create_string_buffer(lines, len(lines))
    told = Rules(len(lines) // 8, ctypes.addressof(held))
    return bool(libc.prctl(PR_SET_SECCOMP, FILTER_MODE, ctypes.byref(told), 0, 0) == 0)


def filters(of: int) -> int | None:
    """How many such filters somebody has; nobody loses one, and children have them all. None where the kernel does not say."""
    with contextlib.suppress(OSError), open(f"/proc/{of}/status", "rb") as file:
        for line in file:
            if line.startswith(b"Seccomp_filters:"):
                return int(line.split()[1])
    return None


def rules(machine: int, calls: dict[str, int], names: tuple[int, ...]) -> list[Line]:
    """The filter. Calls of another machine's table are refused, all of them."""
    allow, refuse = (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE)
    lines = [(LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, machine), refuse]
    lines += [(LOAD, 0, 0, NUMBER), (AT_LEAST, 0, 1, OTHER_TABLE), refuse]
    for number in (calls["listen"], *URING, *names, *BY_NAME_LATELY):
        lines += [(EQUAL, 0, 1, number), refuse]
    for name, place in FLAGS_AT.items():
        flags = (LOAD, 0, 0, ARGUMENTS + 8 * place)
        lines += [(EQUAL, 0, 4, calls[name]), flags, (ANY_BIT, 0, 1, FASTOPEN), refuse, allow]
    lines += [(EQUAL, 1, 0, calls["socket"]), allow, (LOAD, 0, 0, ARGUMENTS)]
    for family in (UNIX, NETLINK):
        lines += [(EQUAL, 0, 1, family), allow]
    lines += [(EQUAL, 2, 0, INET), (EQUAL, 1, 0, INET6), refuse, (LOAD, 0, 0, ARGUMENTS + 16)]
    for protocol in PROTOCOLS:
        lines += [(EQUAL, 0, 1, protocol), allow]
    return [*lines, refuse]


if __name__ == "__main__":
    sys.exit(main())
