"""What a TPM's tools are told and what they say, and a box whose TPM is not to be had: no chip is needed for either."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tillbox.agent.doctor import Facts, examine, report
from tillbox.agent.examine import of_file
from tillbox.agent.provisioning import tpm
from tillbox.agent.provisioning.keystore import FileKeyStore, KeyUnsafe
from tillbox.agent.provisioning.place import Identity, Place
from tillbox.agent.provisioning.rescue import NothingToRescue, read_disk
from tillbox.agent.provisioning.tpm import PARENT, SEAL, TpmKeyStore, failure, halves, is_sealed
from tillbox.agent.screen.codes import rescue_codes
from tillbox.broker.journal import open_journal
from tillbox.broker.medium import FileMedium
from tillbox.contracts.clock import TimeInterval

SEALED = (3).to_bytes(2, "big") + b"pub" + (4).to_bytes(2, "big") + b"priv"


def test_what_the_chip_is_told_never_changes() -> None:
    """Another template makes another parent: every sealed key in the field would be lost. Both need noda."""
    assert " ".join(PARENT) == (
        "tpm2_createprimary -Q -C o -g sha256 -G ecc256:aes128cfb"
        " -a restricted|decrypt|fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda -c parent.ctx"
    )
    assert " ".join(SEAL) == (
        "tpm2_create -Q -C parent.ctx -g sha256 -i - -a fixedtpm|fixedparent|userwithauth|noda"
        " -u sealed.pub -r sealed.priv"
    )


NO_DEVICE = """\
ERROR:tcti:src/tss2-tcti/tcti-device.c:452:Tss2_Tcti_Device_Init() Failed to open specified TCTI device file /dev/tpmrm0: {why}
ERROR:tcti:src/tss2-tcti/tctildr-dl.c:154:tcti_from_file() Could not initialize TCTI file: device
ERROR: Could not load tcti, got: "device:/dev/tpmrm0"
"""
REFUSED = """\
WARNING:esys:src/tss2-esys/api/Esys_{name}.c:324:Esys_{name}_Finish() Received TPM Error
ERROR:esys:src/tss2-esys/api/Esys_{name}.c:112:Esys_{name}() Esys Finish ErrorCode (0x{code:08x})
ERROR: Esys_{name}(0x{code:X}) - tpm:{words}
ERROR: Unable to run tpm2_{tool}
"""
BROKEN = """\
ERROR:esys:src/tss2-esys/api/Esys_FlushContext.c:66:Esys_FlushContext() Error in async function ErrorCode (0x000a000a)
ERROR: Esys_Unseal(0xA000A) - tcti:IO failure
ERROR: Unable to run tpm2_unseal
"""


@pytest.mark.parametrize(
    ("said", "means"),
    [
        (NO_DEVICE.format(why="No such file or directory"), "there is no TPM on this board"),
        (NO_DEVICE.format(why="Permission denied"), "adduser tillbox tss"),
        (REFUSED.format(name="Load", code=0x1DF, tool="load", words="parameter(1):integrity check failed"), "another TPM sealed this key"),
        (REFUSED.format(name="Create", code=0x921, tool="create", words="warn(2.0): DA lockout mode"), "locked after too many failed guesses"),
        (REFUSED.format(name="CreatePrimary", code=0x9A2, tool="createprimary", words="session(1):authorization failure"), "owner has set a password"),
        (REFUSED.format(name="Load", code=0x902, tool="load", words="warn(2.0): out of memory for object contexts"), "no room for another object"),
        (BROKEN, "did not do tpm2_unseal (Esys_Unseal(0xA000A) - tcti:IO failure): switch the box off and on"),
        ("\x1b[31m坏\nbad", "did not do tpm2_unseal ([31m bad)"),
        ("", "did not do tpm2_unseal (it gave no reason)"),
    ],
)  # fmt: skip
def test_a_failure_says_what_happened_and_what_now(said: str, means: str) -> None:
    """The words are those of tpm2-tools 5.4, as they came."""
    found = failure("tpm2_unseal", said)
    assert means in found
    assert ": " in found
    assert "\n" not in found


def test_a_sealed_key_is_two_parts_of_the_length_that_they_say() -> None:
    assert halves(SEALED) == (SEALED[:5], SEALED[5:])
    for damaged in (b"", SEALED[:-1], SEALED + b"\0", SEALED[1:], SEALED[:5], b"\xff" * 5_000):
        with pytest.raises(KeyUnsafe, match="damaged"):
            halves(damaged)


@given(some.binary(max_size=300))
def test_no_file_breaks_the_reader_of_sealed_keys(data: bytes) -> None:
    try:
        public, private = halves(data)
    except KeyUnsafe:
        return
    assert public + private == data


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that a program is looked for in."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def _tool(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_without_the_tools_or_with_a_chip_that_hangs_a_start_ends_with_a_sentence(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "identity" / "box.sealed"
    with pytest.raises(KeyUnsafe, match="apt-get install tpm2-tools"):
        TpmKeyStore(path)
    monkeypatch.setattr(tpm, "STEP_S", 0.2)
    _tool(tools, "tpm2_createprimary", "exec /bin/sleep 30")
    with pytest.raises(KeyUnsafe, match="did not answer tpm2_createprimary"):
        TpmKeyStore(path)
    assert not path.exists(), "nothing is left of a key that was never sealed"


def test_a_number_that_is_no_key_is_not_used(tools: Path, tmp_path: Path) -> None:
    path = tmp_path / "box.sealed"
    path.write_bytes(SEALED)
    for name in ("tpm2_createprimary", "tpm2_load", "tpm2_flushcontext", "tpm2_unseal"):
        _tool(tools, name, ":")
    with pytest.raises(KeyUnsafe, match="no key of a box"):
        TpmKeyStore(path)


def test_where_a_key_lies_is_seen_by_its_path_and_said_by_the_doctor(tmp_path: Path) -> None:
    assert is_sealed(tmp_path / "box.key") is None
    assert is_sealed(FileKeyStore(tmp_path / "box.key").path) is False
    found = [
        line for sealed in (True, False) for line in examine(Facts(key_sealed=sealed)) if line.check == "key"
    ]
    assert [line.says.en for line in found] == [
        "Sealed by this board's TPM; the card alone is worthless.",
        "In a file; whoever has the card has the key.",
    ]


@pytest.mark.usefixtures("tools")
def test_a_sealed_card_in_another_machine_names_the_ways_that_are_left(tmp_path: Path) -> None:
    tid, at = "0199a3c4-5b00-7a10-8c4e-2f6d1b9e0a71", TimeInterval(1, 2)
    medium = FileMedium(tmp_path / "journal.db")
    open_journal(medium, device="b1", incarnation="a1" * 8, tid=tid, at=at)[0].close()
    identity = Identity(tmp_path / "identity")
    identity.folder.mkdir()
    identity.sealed.write_bytes(SEALED)
    with pytest.raises(NothingToRescue) as why:
        read_disk(tmp_path)
    for way in ("sealed by the TPM", "its own board", "/rescue", "paper slips", "tillbox journal"):
        assert way in str(why.value)
    codes, said = rescue_codes(tmp_path)
    assert codes == []
    assert said is not None
    assert "sealed by the TPM" in said.en


@pytest.mark.usefixtures("tools")
def test_the_doctor_says_that_the_key_cannot_be_had_and_why(tmp_path: Path) -> None:
    identity = Identity(tmp_path / "identity")
    identity.folder.mkdir()
    place = Place(position="s1/l1", title="茶铺", tenant="tea", claim_host="broker.example", claim_port=8884)
    identity.keep(place)
    (tmp_path / "trust.json").write_text(json.dumps({"authority": "PEM", "keys": ["00" * 32]}))
    told = {"state": str(tmp_path), "fleet": {"trust": str(tmp_path / "trust.json"), "key": "tpm"}}
    (tmp_path / "box.json").write_text(json.dumps(told))
    page = report(of_file(tmp_path / "box.json", slip=False, tell=lambda _: None))
    lights = {line["check"]: line["light"] for line in page["lines"]}
    assert lights == {"configuration": "green", "key": "red"}
    assert "apt-get install tpm2-tools" in page["lines"][-1]["en"]
    assert page["ok"] is False
