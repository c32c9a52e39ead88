"""What a box without a place makes of a code that it is shown: a claim of its own fleet, or a refusal. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tillbox.contracts.codes import (
    ClaimCode,
    CodeRead,
    SignedEnvelope,
    claim_in,
    classify,
    not_signed,
)
from tillbox.contracts.verdicts import Reason, Refused


def claim_shown(
    read: CodeRead, *, keys: Mapping[bytes, Sequence[bytes]], not_before_ms: int
) -> ClaimCode | Refused:
    """The claim on a sheet. `not_before_ms` is a time that has certainly passed: a claim that ended before it is over,
    whatever our clock says."""
    code = classify(read)
    if isinstance(code, Refused):
        return code
    if not isinstance(code, SignedEnvelope):
        return Refused(Reason.NOT_A_CLAIM)
    unproven = not_signed(code, keys)
    if unproven is not None:
        unknown = unproven.reason is Reason.SIGNER_UNKNOWN
        return Refused(Reason.CLAIM_OTHER_FLEET) if unknown else unproven
    claim = claim_in(code.payload)
    if isinstance(claim, ClaimCode) and claim.not_after_ms < not_before_ms:
        return Refused(Reason.CLAIM_EXPIRED)
    return claim
