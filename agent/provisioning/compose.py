"""What a box is to be, made of its three parts: the machine's file, the place it has, and the settings it was sent."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from tillbox.agent.config import BoxConfig, Broker, FleetBoxConfig, Machine
from tillbox.agent.till import Caps
from tillbox.contracts.desired import Desired, open_desired
from tillbox.contracts.settings import SettingsWrong, load, names_in
from tillbox.contracts.shop import BoxSettings, ShopSettings
from tillbox.contracts.verdicts import Reason, Refused

from .keystore import FileKeyStore, KeyStore, KeyUnsafe
from .place import Identity, Place, Trust
from .tpm import TpmKeyStore


def settings_of(desired: Desired) -> BoxSettings | Refused:
    """The settings, if this software can use them."""
    try:
        return BoxSettings.model_validate_json(json.dumps(desired.settings))
    except ValidationError as fault:
        first = fault.errors()[0]
        return Refused(Reason.SETTINGS_WRONG, f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:120])


def compose(
    machine: FleetBoxConfig, identity: Identity, place: Place, key: KeyStore, trust: Trust
) -> BoxConfig:
    """The whole configuration. Settings that cannot be used are as good as none: the box sells under its shop's name."""
    shop = BoxSettings(tenant=place.tenant, shop=place.title)
    sealed = identity.desired()
    if sealed:
        desired = open_desired(sealed, keys=trust.by_kid(), device=key.device)
        found = settings_of(desired) if isinstance(desired, Desired) else desired
        shop = found if isinstance(found, BoxSettings) else shop
    host, port = via(machine.fleet.broker_via) or (
        shop.broker_host or place.host or place.claim_host,
        shop.broker_port or place.port or place.claim_port,
    )
    broker = Broker(
        host=host,
        port=port,
        authority=identity.root,
        certificate=identity.certificate,
        key=key.path,
    )
    parts = {name: getattr(machine, name) for name in Machine.model_fields}
    parts |= {name: getattr(shop, name) for name in ShopSettings.model_fields}
    return BoxConfig.model_construct(device=key.device, broker=broker, **parts)


def via(told: str) -> tuple[str, int] | None:
    """A tunnel's address, where there is one."""
    host, _, port = told.rpartition(":")
    return (host, int(port)) if host else None


def config_in(path: Path) -> BoxConfig:
    """The configuration that a file means, with the place of a fleet's box put in. Raises SettingsWrong, also where the
    box has no place yet, and KeyUnsafe where its key cannot be had."""
    if "fleet" not in names_in(path):
        return load(path, BoxConfig)
    machine = load(path, FleetBoxConfig)
    identity = Identity(machine.state / "identity")
    place = identity.place()
    if place is None:
        raise SettingsWrong("this box has no place yet: start it, and show it a claim sheet")
    return compose(machine, identity, place, key_of(machine, identity), load(machine.fleet.trust, Trust))


def key_of(machine: FleetBoxConfig, identity: Identity) -> KeyStore:
    """The box's key, from where its configuration says; made there where there is none. Raises KeyUnsafe, also where it lies in
    the other place: a second key would be another box, and one that lay in a file is not made secret by a seal."""
    own, other = identity.key, identity.sealed
    if machine.fleet.key == "tpm":
        own, other = other, own
    if other.exists():
        raise KeyUnsafe(
            f'{other} is this box\'s key, and the configuration says fleet.key = "{machine.fleet.key}". Set it back; or, to '
            f"change it, let the box hand in everything, move {identity.folder} away and show it the sheet of a replacement"
        )
    return TpmKeyStore(own) if machine.fleet.key == "tpm" else FileKeyStore(own)


def caps_of(place: Place) -> Caps | None:
    """What it may take alone; None once the core has taken it in."""
    return Caps(place.sale_max, place.total_max) if place.is_provisional else None
