"""What a box knows of its place, in a folder beside its journal: where it stands, whom it asks, and what it was told.

identity/box.key        the key, made here; or, where the board's TPM keeps it:
identity/box.sealed     the key, as that TPM alone can open it
identity/box.crt        its certificate with the chain, once the core gave one
identity/root.crt       whom it trusts
identity/place.json     where it stands
identity/desired.json   the signed settings, as they came
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from tillbox.contracts.codes import ClaimCode, by_kid
from tillbox.contracts.messages import EnrolAnswer
from tillbox.contracts.settings import Strict
from tillbox.contracts.shop import PublicKey

from .files import replace_file


class Trust(Strict):
    """Whom the boxes of one fleet believe: it is in the image of every box, and is no secret."""

    authority: str = Field(description="The root certificate, PEM.")
    keys: tuple[PublicKey, ...] = Field(description="Keys that sign claims and settings, hexadecimal.")

    def by_kid(self) -> dict[bytes, tuple[bytes, ...]]:
        """The keys by the short name that a signature carries."""
        return by_kid(map(bytes.fromhex, self.keys))


class Place(Strict):
    """Where a box stands. `epoch` is 0 until the core has taken it in: then it is provisional."""

    position: str
    title: str
    tenant: str
    claim_host: str
    claim_port: Annotated[int, Field(ge=1, le=65_535)]
    token: str | None = Field(default=None, repr=False)
    """The claim's, until the core has taken the box in."""
    host: str = ""
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    epoch: Annotated[int, Field(ge=0)] = 0
    sale_max: Annotated[int, Field(ge=0)] = 0
    total_max: Annotated[int, Field(ge=0)] = 0
    report: str = ""
    """The self-test, until the core has noted it."""
    put_out: str = ""
    """Why this box is out of service; empty while it is not."""

    @classmethod
    def claimed(cls, claim: ClaimCode, typed: str) -> Place:
        """As a claim says, before anybody was asked."""
        return cls(
            position=claim.position,
            title=claim.title,
            tenant=claim.tenant,
            claim_host=claim.host,
            claim_port=claim.port,
            token=typed,
            sale_max=claim.sale_max,
            total_max=claim.total_max,
        )

    @property
    def is_provisional(self) -> bool:
        """Whether the core has not taken it in yet."""
        return self.epoch == 0


@dataclass(frozen=True, slots=True)
class Identity:
    """The folder."""

    folder: Path

    @property
    def key(self) -> Path:
        """The box's key, where it lies in a file."""
        return self.folder / "box.key"

    @property
    def sealed(self) -> Path:
        """The box's key, where a TPM has sealed it."""
        return self.folder / "box.sealed"

    @property
    def has_key(self) -> bool:
        """Whether there is one, either way."""
        return self.key.exists() or self.sealed.exists()

    @property
    def certificate(self) -> Path:
        """Its certificate, if the core gave one."""
        return self.folder / "box.crt"

    @property
    def root(self) -> Path:
        """Whom it trusts."""
        return self.folder / "root.crt"

    def place(self) -> Place | None:
        """Where the box stands; None before the first claim, and where the file is no sense any more: then the sheet is
        shown once more, and the core knows the box by its key."""
        try:
            return Place.model_validate_json((self.folder / "place.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def keep(self, place: Place) -> None:
        """Where it stands now."""
        replace_file(self.folder / "place.json", place.model_dump_json(indent=1).encode())

    def desired(self) -> str:
        """The signed settings as they came; empty where there are none."""
        try:
            return (self.folder / "desired.json").read_text()
        except (OSError, UnicodeDecodeError):
            return ""

    def keep_desired(self, sealed: str) -> None:
        """The settings that are in use from now on."""
        replace_file(self.folder / "desired.json", sealed.encode())

    @property
    def _before(self) -> Path:
        return self.folder / "desired.before.json"

    @property
    def on_trial(self) -> bool:
        """Whether the settings in use wait for their first word from the core."""
        return self._before.exists()

    def try_desired(self, sealed: str) -> None:
        """Settings that change the line: those before are kept until the core was heard over the new one."""
        replace_file(self._before, self.desired().encode())
        self.keep_desired(sealed)

    def confirmed(self) -> None:
        """The core was heard."""
        self._before.unlink(missing_ok=True)

    def go_back(self) -> None:
        """It was not: the settings from before count again."""
        self.keep_desired(self._before.read_text())
        self._before.unlink()

    def refused(self) -> tuple[int, str] | None:
        """The version that was not taken last, and why; it is not tried again."""
        try:
            version, reason = (self.folder / "refused").read_text().split(" ", 1)
            return int(version), reason
        except (OSError, ValueError):
            return None

    def keep_refused(self, version: int, reason: str) -> None:
        """Remember a version that was not taken."""
        replace_file(self.folder / "refused", f"{version} {reason}".encode())

    def trust(self, trust: Trust) -> None:
        """Whom it trusts, as a file for the TLS library."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(self.root, trust.authority.encode())

    def taken_in(self, place: Place, answer: EnrolAnswer) -> Place:
        """Keep what the core answered: the certificate first, the place, which says that there is one, last."""
        assert answer.certificate is not None
        replace_file(self.certificate, answer.certificate.encode())
        if answer.desired and place.epoch != answer.epoch:
            self.keep_desired(answer.desired)  # afterwards they come by themselves, each judged when it comes
        now = {
            "position": answer.position,
            "epoch": answer.epoch,
            "host": answer.host,
            "port": answer.port,
            "token": None,
        }
        place = place.model_copy(update=now)
        self.keep(place)
        return place
