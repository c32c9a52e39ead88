"""The box's key, sealed by the TPM 2.0 of its board: on the card lies what that chip alone can open.

The chip does not sign. It keeps 32 bytes, the key's private number, and gives them out at start; from then on the key is in
this process's memory and nowhere else, and is used as a key from a file is. So a copied or a stolen card is worthless without
that board's chip; root on the running box, or whoever has card and board together, can still read the key. Why it is
made so: docs/adr/0014-a-key-is-sealed-not-kept-in-the-chip.md.

tpm2-tools speak to the chip. What is secret goes through pipes and never through their files.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from .files import replace_file
from .keystore import NUMBER_BYTES, HeldKey, KeyUnsafe, pem_of

DEVICE = "device:/dev/tpmrm0"
"""The kernel's own door, which lets several programs in; tpm2-tools would try others. Overruled by TPM2TOOLS_TCTI."""
STEP_S = (
    20.0  # all steps of a start took 11 s on an emulated processor; and one may wait for another program's
)
SEALED_BYTES_MAX = 4_096
MEMORY = Path("/proc/self/fd")
SHELF = "/dev/shm"
"""For what the tools hand each other, none of it secret: in memory, so that a box with a full card starts."""

Step = tuple[str, ...]

# noda, in both: without it the chip counts each power cut as a failed guess, and locks itself after a few.
# Never change a word of these two: another template is another parent, and every sealed key is lost.
PARENT: Step = (
    "tpm2_createprimary", "-Q", "-C", "o", "-g", "sha256", "-G", "ecc256:aes128cfb",
    "-a", "restricted|decrypt|fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda",
    "-c", "parent.ctx",
)  # fmt: skip
SEAL: Step = (
    "tpm2_create", "-Q", "-C", "parent.ctx", "-g", "sha256", "-i", "-",
    "-a", "fixedtpm|fixedparent|userwithauth|noda",
    "-u", "sealed.pub", "-r", "sealed.priv",
)  # fmt: skip
LOAD: Step = (
    "tpm2_load", "-Q", "-C", "parent.ctx", "-u", "sealed.pub", "-r", "sealed.priv", "-c", "sealed.ctx",
)  # fmt: skip
UNSEAL: Step = ("tpm2_unseal", "-c", "sealed.ctx")
FLUSH: Step = ("tpm2_flushcontext", "-Q", "-t")
"""What a step loaded fills the chip's few places, unless the kernel's resource manager stands before it."""

NO_TOOLS = "{tool} is not on this machine, and the TPM cannot be asked without it: apt-get install tpm2-tools"
SILENT = (
    "the TPM did not answer {tool} within {seconds:.0f} s: switch the box off, wait ten seconds, switch it on; if it stays so, "
    "the board's TPM is broken, and the box is replaced"
)
NO_TPM = (
    "there is no TPM on this board, or it is switched off ({door} is not there): put the card back into the board that it came from, "
    "or switch the TPM on in the firmware"
)
NO_RIGHT = "this user may not use the TPM: adduser tillbox tss, let the service open /dev/tpmrm0 (docs/install.md), and start again"
OTHER_TPM = (
    "another TPM sealed this key, or this one was cleared since, or the sealed key is damaged: put the card back into the board "
    "that it came from; if that is lost or was cleared, the key is lost with it, and the box is replaced"
)
LOCKED_OUT = (
    "the TPM is locked after too many failed guesses, which are not the box's: wait until it opens by itself (tpm2_getcap "
    "properties-variable says when), or run tpm2_dictionarylockout --clear-lockout, and start again"
)
OWNED = "the TPM's owner has set a password, and the box uses it without one: tpm2_changeauth -c owner -p PASSWORD takes it away"
FULL = "the TPM has no room for another object: end the program that fills it, or switch the box off and on"
OTHERWISE = (
    "the TPM did not do {tool} ({said}): switch the box off and on; if it stays so, the board's TPM is broken, and the box is "
    "replaced"
)

CODES: dict[int, str] = {0x1DF: OTHER_TPM, 0x921: LOCKED_OUT, 0x9A2: OWNED, 0x902: FULL}
"""What a chip answers, as it stands in the tools' words (TPM 2.0 library, part 2, response codes)."""
SAID_MAX = 200


class TpmKeyStore(HeldKey):
    """A key that this board's TPM has sealed. Raises KeyUnsafe where the chip does not give it out."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace_file(path, seal(number.to_bytes(NUMBER_BYTES, "big")))
        # Also a key that was made just now is read back: a seal that does not open is found before anything depends on it.
        super().__init__(_key_of(unseal(path.read_bytes())))

    @cached_property
    def path(self) -> Path:
        """Where this process's TLS library reads it: a file in memory, which is there as long as this process lives, and which a
        program that it starts does not inherit."""
        handle = os.memfd_create("box.key")
        os.write(handle, pem_of(self._key))
        return MEMORY / str(handle)


def is_sealed(key: Path) -> bool | None:
    """Whether the key at a path is in memory alone; None where there is no key."""
    return key.is_relative_to(MEMORY) if key.exists() else None


def seal(number: bytes) -> bytes:
    """What this machine's TPM makes of a number. Raises KeyUnsafe."""
    with tempfile.TemporaryDirectory(prefix="tillbox-tpm-", dir=SHELF) as name:
        folder = Path(name)
        _play(PARENT, folder)
        _play(SEAL, folder, number)
        return (folder / "sealed.pub").read_bytes() + (folder / "sealed.priv").read_bytes()


def unseal(sealed: bytes) -> bytes:
    """The number in it. Raises KeyUnsafe where this TPM did not seal it."""
    public, private = halves(sealed)
    with tempfile.TemporaryDirectory(prefix="tillbox-tpm-", dir=SHELF) as name:
        folder = Path(name)
        (folder / "sealed.pub").write_bytes(public)
        (folder / "sealed.priv").write_bytes(private)
        _play(PARENT, folder)
        _play(LOAD, folder)
        return _play(UNSEAL, folder)


def halves(sealed: bytes) -> tuple[bytes, bytes]:
    """The public and the private part as TPM 2.0 writes them: two bytes of length, then so many. Raises KeyUnsafe."""
    middle = 2 + int.from_bytes(sealed[:2], "big")
    public, private = sealed[:middle], sealed[middle:]
    if len(sealed) > SEALED_BYTES_MAX or len(private) != 2 + int.from_bytes(private[:2], "big"):
        raise KeyUnsafe(OTHER_TPM)
    return public, private


def _key_of(number: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        return ec.derive_private_key(int.from_bytes(number, "big"), ec.SECP256R1())
    except ValueError as fault:
        raise KeyUnsafe(
            "what the TPM gave out is no key of a box: move the sealed key away, and the box is enrolled anew"
        ) from fault


def _play(step: Step, folder: Path, given: bytes = b"") -> bytes:
    """What a step says; the chip is left empty after it."""
    said = _run(step, folder, given)
    with suppress(KeyUnsafe):  # whether it mattered, the next step says
        _run(FLUSH, folder)
    return said


def _run(step: Step, folder: Path, given: bytes = b"") -> bytes:
    door = os.environ.get("TPM2TOOLS_TCTI", DEVICE)
    try:
        done = subprocess.run(
            step,
            input=given,
            capture_output=True,
            cwd=folder,
            env={**os.environ, "TPM2TOOLS_TCTI": door, "LC_ALL": "C"},
            timeout=STEP_S,
            check=False,
        )
    except FileNotFoundError as fault:
        raise KeyUnsafe(NO_TOOLS.format(tool=step[0])) from fault
    except subprocess.TimeoutExpired as fault:
        raise KeyUnsafe(SILENT.format(tool=step[0], seconds=STEP_S)) from fault
    if done.returncode != 0:
        raise KeyUnsafe(failure(step[0], done.stderr.decode(errors="replace"), door))
    return done.stdout


def failure(tool: str, said: str, door: str = DEVICE) -> str:
    """What went wrong and what to do, by what a tool said on its error output."""
    for code in re.findall(r"0x([0-9A-Fa-f]{1,8})\b", said):
        if (known := CODES.get(int(code, 16))) is not None:
            return known
    if "Permission denied" in said or "Operation not permitted" in said:
        return NO_RIGHT
    if "Could not load tcti" in said or "Could not initialize TCTI" in said:
        return NO_TPM.format(door=door)
    sentences = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    # It goes to a log and to a terminal: one line of plain letters.
    plain = re.sub(r"[^ -~]+", " ", sentences[0] if sentences else said).strip()
    return OTHERWISE.format(tool=tool, said=plain[:SAID_MAX] or "it gave no reason")
