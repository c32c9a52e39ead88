"""What a device that does not open is said to need, so that a person can act."""

from __future__ import annotations

import errno

import pytest
import serial

from tillbox.hardware.drivers.hints import open_hint


@pytest.mark.parametrize(
    ("why", "hint"),
    [
        (PermissionError(errno.EACCES, "no"), "add its user to the group dialout."),
        (OSError(errno.EPERM, "no"), "add its user to the group dialout."),
        (BlockingIOError(errno.EAGAIN, "held"), "Another program has the scanner open. Close that one."),
        (OSError(errno.EBUSY, "held"), "Another program has the scanner open. Close that one."),
        (OSError(errno.ENODEV, "gone"), "Is its cable in?"),
        (serial.SerialException("readiness to read but returned no data"), "Is its cable in?"),
        (serial.SerialException(errno.EACCES, "could not open"), "add its user to the group dialout."),
        (ValueError("not a baud"), "Is its cable in?"),
    ],
)
def test_what_the_kernel_says_becomes_something_to_do(why: Exception, hint: str) -> None:
    assert open_hint(why, "the scanner", group="dialout", absent="Is its cable in?").endswith(hint)
