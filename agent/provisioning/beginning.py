"""The beginning of a box of a fleet: whom it believes, its key, its place; and then it is a box like any other, with a
steward beside it, and a room for what head office commands."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import structlog

from tillbox.agent.app import Box
from tillbox.agent.clock import BootClock
from tillbox.agent.config import FleetBoxConfig
from tillbox.agent.errands.lately import Lately
from tillbox.agent.errands.live import LiveRoom
from tillbox.agent.errands.room import ErrandRoom
from tillbox.agent.screen.server import picture
from tillbox.agent.shell.room import ShellRoom
from tillbox.contracts.settings import load

from .arriving import Arriving
from .compose import compose, key_of
from .keystore import KeyStore
from .page import shown
from .place import Identity, Place, Trust
from .steward import Steward, terms_of

log = structlog.get_logger(__name__)


def fleet_box(
    machine: FleetBoxConfig, door: socket.socket | None, ended: threading.Event, alive: Callable[[str], None]
) -> Box | None:
    """A box with its place, not running yet; None where it was told to end before it had one. Raises SettingsWrong where
    the fleet's trust file cannot be used, KeyUnsafe where the box's key cannot."""
    trust = load(machine.fleet.trust, Trust)
    identity = Identity(machine.state / "identity")
    identity.trust(trust)
    key = key_of(machine, identity)
    place = identity.place() or _arrive(machine, trust, identity, key, door, ended, alive)
    if place is None:
        return None
    config = compose(machine, identity, place, key, trust)
    box = Box(config, terms_of(machine, place, identity, key), alive=alive)
    steward = Steward(box, machine, trust, identity, key, place)
    lately = Lately()
    lately.listen()
    live = LiveRoom(box, lately, lambda: picture(box), clock_ms=BootClock().boot_ms)
    live.start()
    shells = ShellRoom(box, sign=key.sign, clock_ms=BootClock().boot_ms)
    errands = ErrandRoom(
        box, keys=trust.by_kid(), epoch=lambda: steward.place.epoch, lately=lately, live=live, shells=shells
    )
    box.on_end += [steward.stop, errands.stop]
    errands.start()
    steward.start()
    log.info("place.known", position=place.position, epoch=place.epoch, device=key.device)
    return box


def _arrive(
    machine: FleetBoxConfig,
    trust: Trust,
    identity: Identity,
    key: KeyStore,
    door: socket.socket | None,
    ended: threading.Event,
    alive: Callable[[str], None],
) -> Place | None:
    arriving = Arriving(machine, trust, identity, key, alive=alive)

    def stop() -> None:
        ended.wait()
        arriving.stop()

    threading.Thread(target=stop, name="end", daemon=True).start()
    log.info(
        "place.none", device=key.device, hint="show the claim sheet to a scanner or the camera of this box"
    )
    with shown(arriving, key.device, door):
        return arriving.run()
