"""Commands of head office, pure: their life, their signature, when a box begins, and how a bulk goes on."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillbox.agent.errands.bundle import PARTS_MAX, parts_of
from tillbox.agent.errands.judging import judge, judge_update
from tillbox.agent.errands.lately import LINES_MAX, Lately, masked
from tillbox.agent.updates.gate import Now
from tillbox.agent.updates.machine import Fetching, Leaving, Release, Stand, Steady, Waiting
from tillbox.agent.updates.words import Refusal, Why
from tillbox.cloud_bridge.fleet.waves import Standing, Turn, sizes_of, turn, waves_of
from tillbox.contracts.clock import FAR_FUTURE_MS, TimeInterval
from tillbox.contracts.codes import kid_of
from tillbox.contracts.commands import (
    ENDS,
    NEXT,
    PARAMS,
    SAYS,
    Command,
    State,
    Verb,
    open_command,
    params_of,
    seal_command,
)
from tillbox.contracts.desired import Desired, open_desired, seal_desired
from tillbox.contracts.messages import RESULT_CHARACTERS_MAX
from tillbox.contracts.updates import Blocker
from tillbox.contracts.verdicts import Reason, Refused

SEED = bytes(range(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()
KEYS = {kid_of(PUBLIC): (PUBLIC,)}
COMMAND = Command(
    id="0199a000-2000-7000-8000-000000002000", device="box-1", epoch=2, verb="restart", made_ms=1_000, expires_ms=9_000
)  # fmt: skip
NOW = Now(
    phase="Idle", quiet_ms=0, payment_open=False, pending=0, redemption_ms=None, line_up=True, clock_known=True,
    free_bytes=10**9,
)  # fmt: skip
AT = TimeInterval(5_000, 5_010)


def test_what_is_over_is_over_and_everything_can_end() -> None:
    assert {State.SUCCESSFUL, State.FAILED, State.EXPIRED} == ENDS
    assert set(NEXT) == set(State)
    assert all(NEXT[state] & ENDS or state in ENDS for state in State)
    assert State.EXPIRED not in NEXT[State.EXECUTING], "what has begun is carried through"
    assert set(SAYS) == set(PARAMS) == set(Verb)


def test_a_command_is_for_one_box_in_one_epoch_of_its_place() -> None:
    sealed = seal_command(COMMAND, private_key=SEED)
    assert open_command(sealed, keys=KEYS, device="box-1", epoch=2) == COMMAND
    for device, epoch in (("box-2", 2), ("box-1", 3)):
        assert open_command(sealed, keys=KEYS, device=device, epoch=epoch) == Refused(Reason.FOREIGN_DEVICE)


def test_nobody_else_can_command_a_box() -> None:
    sealed = json.loads(seal_command(COMMAND, private_key=SEED))
    forged = json.dumps({**sealed, "doc": sealed["doc"].replace("restart", "drain")})
    strange = seal_command(COMMAND, private_key=bytes(32))
    for text, reason in (
        (forged, Reason.SIGNATURE_WRONG),
        (strange, Reason.SIGNER_UNKNOWN),
        ("[]", Reason.NOT_UNDERSTOOD),
        ("x" * 10_000, Reason.TOO_LARGE),
    ):
        assert open_command(text, keys=KEYS, device="box-1", epoch=2) == Refused(reason)


def test_settings_are_no_command_and_a_command_is_no_settings() -> None:
    desired = seal_desired(
        Desired(device="box-1", position="s/l", epoch=2, version=1, settings={}), private_key=SEED
    )
    assert open_command(desired, keys=KEYS, device="box-1", epoch=2) == Refused(Reason.SIGNATURE_WRONG)
    sealed = seal_command(COMMAND, private_key=SEED)
    assert open_desired(sealed, keys=KEYS, device="box-1") == Refused(Reason.SIGNATURE_WRONG)


@pytest.mark.parametrize(
    ("verb", "params", "reason"),
    [
        ("dance", {}, Reason.COMMAND_UNKNOWN),
        ("drain", {}, Reason.COMMAND_WRONG),
        ("restart", {"why": "x"}, Reason.COMMAND_WRONG),
        ("reprint", {"sale": "7"}, Reason.COMMAND_WRONG),
    ],
)
def test_what_a_verb_takes(verb: str, params: dict[str, str], reason: Reason) -> None:
    found = params_of(verb, params)
    assert isinstance(found, Refused)
    assert found.reason is reason


@pytest.mark.parametrize(
    ("verb", "now", "at", "state"),
    [
        ("restart", NOW, AT, State.EXECUTING),
        ("restart", replace(NOW, phase="Ringing"), AT, State.BLOCKED),
        ("restart", replace(NOW, payment_open=True), AT, State.BLOCKED),
        ("restart", replace(NOW, phase="Stopped", pending=9, line_up=False), AT, State.EXECUTING),
        ("quarantine", replace(NOW, phase="Ringing"), AT, State.EXECUTING),
        ("quarantine", replace(NOW, phase="Checking"), AT, State.BLOCKED),
        ("quarantine", replace(NOW, phase="InDoubt"), AT, State.BLOCKED),
        ("self-test", replace(NOW, phase="Paying", payment_open=True), AT, State.EXECUTING),
        ("self-test", NOW, TimeInterval(9_000, 9_010), State.EXPIRED),
        ("self-test", NOW, TimeInterval(8_995, 9_005), State.BLOCKED),
        ("self-test", NOW, TimeInterval(0, FAR_FUTURE_MS), State.BLOCKED),
        ("self-test", NOW, TimeInterval(9_000, FAR_FUTURE_MS), State.EXPIRED),
        ("dance", NOW, AT, State.FAILED),
    ],
)
def test_when_a_box_begins(verb: str, now: Now, at: TimeInterval, state: State) -> None:
    params = {"why": "stocktaking"} if verb == "quarantine" else {}
    move = judge(COMMAND.model_copy(update={"verb": verb, "params": params}), now, at)
    assert move.state is state
    assert move.reason or state is State.EXECUTING


NEXT_RELEASE = Release("0.2.0", "tillbox-0.2.0-any.zip", "ab" * 32, 1_000, "cd" * 32)


@pytest.mark.parametrize(
    ("stand", "state"),
    [
        (None, State.FAILED),
        (Stand("0.2.0", False, Steady()), State.EXECUTING),
        (Stand("0.1.0", False, Steady(Refusal(Why.EXPIRED))), None),  # an answer to another question
        (Stand("0.1.0", True, Steady(Refusal(Why.UNREACHABLE))), State.BLOCKED),
        (Stand("0.1.0", True, Steady(Refusal(Why.FAILED_BEFORE))), State.FAILED),
        (Stand("0.1.0", True, Fetching(NEXT_RELEASE)), None),
        (Stand("0.1.0", True, Waiting(NEXT_RELEASE)), None),
        (Stand("0.1.0", True, Waiting(NEXT_RELEASE, (Blocker.DOUBT,))), State.BLOCKED),
        (Stand("0.1.0", True, Leaving(NEXT_RELEASE)), None),
    ],
)
def test_where_a_commanded_release_stands(stand: Stand | None, state: State | None) -> None:
    move = judge_update("0.2.0", stand)
    assert (move and move.state) == state
    assert move is None or move.reason


def test_a_wave_rests_even_when_all_of_it_is_done() -> None:
    done = Standing(
        wave=0, last=3, since_ms=0, open=0, failed=0, stop_if_failed=0, patience_ms=10, rest_ms=1_000
    )
    assert [turn(done, now_ms) for now_ms in (999, 1_000)] == [Turn.WAIT, Turn.NEXT]
    assert turn(replace(done, failed=1), 1) is Turn.STOP, "a failure does not wait for the rest's end"


def test_support_sees_no_telephone_number_no_payment_code_and_no_secret() -> None:
    lately = Lately()
    for number in range(500):
        lately(None, "warning", {"event": "x", "phone": "13812345678", "n": number})
    lately(None, "info", {"event": "code 134567890123456789 token=abcdef123456"})
    lines = lately.lines()
    assert len(lines) == LINES_MAX
    told = "\n".join(lines)
    assert "13812345678" not in told
    assert "134567890123456789" not in told
    assert "abcdef123456" not in told
    assert masked("sale 42 for 12.50 at lane 3") == "sale 42 for 12.50 at lane 3"


def test_a_bundle_fits_into_records_whatever_the_log_holds() -> None:
    random = Random(7)
    lines = [random.randbytes(100).hex() for _ in range(600)]
    parts = parts_of({"device": "box-1"}, lines)
    assert len(parts) <= PARTS_MAX
    assert all(len(part) <= RESULT_CHARACTERS_MAX for part in parts)
    found = json.loads(gzip.decompress(base64.b64decode("".join(parts))))
    assert found["device"] == "box-1"
    assert found["log"] == lines[-len(found["log"]) :]
    assert found["log"]


def test_each_box_has_one_wave_and_the_first_wave_is_never_empty() -> None:
    devices = [f"box-{number}" for number in range(200)]
    waves = waves_of("bulk", devices, (1, 10, 50, 100))
    assert set(waves) == set(devices)
    assert sizes_of(waves, 4) == [2, 18, 80, 100]
    assert sizes_of(waves_of("bulk", devices[:3], (1, 10, 50, 100)), 4) == [1, 0, 1, 1]
    assert waves_of("another", devices, (1, 100)) != waves_of("bulk", devices, (1, 100))


STANDING = Standing(wave=0, last=3, since_ms=1_000, open=1, failed=0, stop_if_failed=1, patience_ms=500)


@pytest.mark.parametrize(
    ("changes", "now_ms", "expected"),
    [
        ({}, 1_100, Turn.WAIT),
        ({"open": 0}, 1_100, Turn.NEXT),
        ({}, 1_600, Turn.NEXT),
        ({"failed": 1, "open": 0}, 1_100, Turn.NEXT),
        ({"failed": 2, "open": 0}, 1_100, Turn.STOP),
        ({"failed": 2, "wave": 3}, 1_100, Turn.STOP),
        ({"wave": 3}, 9_999, Turn.WAIT),
        ({"wave": 3, "open": 0}, 1_100, Turn.DONE),
    ],
)
def test_how_a_bulk_goes_on(changes: dict[str, int], now_ms: int, expected: Turn) -> None:
    assert turn(replace(STANDING, **changes), now_ms) is expected


def test_waves_only_grow() -> None:
    devices = [f"box-{number}" for number in range(57)]
    sizes = [sum(wave <= at for wave in waves_of("b", devices, (5, 20, 100)).values()) for at in range(3)]
    assert all(before < after for before, after in pairwise(sizes))
    assert sizes[-1] == 57
