"""What a person can do about a device that does not open or has gone, by the number that the kernel gave.

Words only: it opens nothing and asks nothing. A driver whose device has more to say looks at that first.
"""

from __future__ import annotations

import errno


def open_hint(why: Exception, what: str, *, group: str, absent: str) -> str:
    """One sentence, or two: `absent` where the kernel's word means neither rights nor another program.

    open_hint(why, "the scanner", group="dialout", absent="Is its cable in? Nothing is at /dev/ttyACM0.")
    """
    number = getattr(why, "errno", None)  # pyserial's own errors have none
    if number in (errno.EACCES, errno.EPERM):
        return f"This program may not open it: add its user to the group {group}."
    if number in (errno.EAGAIN, errno.EBUSY):
        return f"Another program has {what} open. Close that one."
    return absent
