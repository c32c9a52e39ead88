"""What the shell's filter of system calls lets through, on each machine: as the kernel reads it, call by call."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tillbox.agent.shell import keeper
from tillbox.agent.shell.keeper import MACHINES, rules

KEEPER = Path(keeper.__file__)
TCP, MPTCP, SMC = 6, 262, 43


def passes(machine: str, call: str | int, *arguments: int, of: int | None = None) -> bool:
    """Classic BPF, as much of it as the filter has."""
    code, calls = MACHINES[machine]
    data = {keeper.NUMBER: calls[call] if isinstance(call, str) else call, keeper.MACHINE: of or code}
    data |= {keeper.ARGUMENTS + 8 * at: one for at, one in enumerate(arguments)}
    lines, at, held = rules(code, calls, keeper.BY_NAME[machine]), 0, 0
    while True:
        what, then, otherwise, operand = lines[at]
        at += 1
        match what:
            case keeper.LOAD:
                held = data.get(operand, 0)
            case keeper.RETURN:
                return operand == keeper.ALLOW
            case keeper.EQUAL:
                at += then if held == operand else otherwise
            case keeper.AT_LEAST:
                at += then if held >= operand else otherwise
            case keeper.ANY_BIT:
                at += then if held & operand else otherwise


@pytest.mark.parametrize("machine", MACHINES)
def test_tcp_has_one_name_and_one_beginning(machine: str) -> None:
    fast = keeper.FASTOPEN
    for family in (socket.AF_INET, socket.AF_INET6):
        assert all(passes(machine, "socket", family, 1, one) for one in (0, TCP, 17, 1, 58))
        assert not any(passes(machine, "socket", family, 1, one) for one in (MPTCP, 132, 255))
    assert passes(machine, "socket", socket.AF_UNIX, 1, 0)
    assert passes(machine, "socket", socket.AF_NETLINK, 3, 15)
    assert not passes(machine, "socket", SMC, 1, 0)
    assert passes(machine, "sendto", 3, 0, 5, 0x4000)
    assert not passes(machine, "sendto", 3, 0, 5, fast | 0x4000)
    assert not passes(machine, "sendmsg", 3, 0, fast)
    assert passes(machine, "sendmsg", 3, 0, 0, fast)
    assert not passes(machine, "sendmmsg", 3, 0, 1, fast)
    assert not passes(machine, "listen", 3, 1)
    assert not passes(machine, 425, 8)
    assert passes(machine, 0)
    assert not passes(machine, 0, of=0x4000_0003), "nor by another machine's numbers"
    assert not passes(machine, keeper.OTHER_TABLE + 41, socket.AF_INET, 1, 0)


TRIES = """
import ctypes, json, os, socket, sys
sys.path.insert(0, sys.argv[1])
import keeper
port = int(sys.argv[2])
keeper.libc.prctl(keeper.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
kept = keeper.hide([sys.argv[3]], {port}), keeper.narrow()
def tries(what):
    try:
        what()
    except OSError as fault:
        return fault.errno
    return 0
def connect(protocol):
    socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol).connect(("127.0.0.1", port))
def send_at_once():
    socket.socket().sendto(b"x", socket.MSG_FASTOPEN, ("127.0.0.1", port))
def listen(bound):
    one = socket.socket()
    if bound:
        one.bind(("0.0.0.0", 0))
    one.listen()
print(json.dumps([kept, tries(lambda: connect(0)), tries(lambda: connect(262)), tries(send_at_once),
    tries(lambda: listen(True)), tries(lambda: listen(False)),
    tries(lambda: os.truncate(sys.argv[3] + "/kept", 0)), tries(lambda: os.chmod(sys.argv[3] + "/kept", 0))]))
"""


@pytest.mark.skipif(keeper.os.uname().machine not in MACHINES, reason="its calls are not known")
def test_no_way_leads_to_a_door_that_is_shut(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("the journal")
    with socket.create_server(("127.0.0.1", 0)) as page:
        words = [sys.executable, "-c", TRIES, KEEPER.parent, f"{page.getsockname()[1]}", tmp_path]
        told = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    ((_, doors), narrowed), *found = told
    assert narrowed
    *found, truncated, made_readable = found
    assert [truncated, made_readable] == [errno.EPERM, errno.EPERM]
    if not doors:
        pytest.skip("this kernel's Landlock keeps no port")
    assert found == [errno.EACCES, errno.EPERM, errno.EPERM, errno.EACCES, errno.EPERM]
