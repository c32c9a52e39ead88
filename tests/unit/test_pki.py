"""The small authority: whom it refuses, it goes on refusing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from tillbox.broker.pki import Authority

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def test_a_second_revocation_forgets_none_of_the_first(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path / "ca", name="fleet", now=NOW)
    boxes = [
        authority.issue_client(tmp_path / name, name=name, now=NOW).certificate for name in ("box-1", "box-2")
    ]
    serials = [x509.load_pem_x509_certificate(path.read_bytes()).serial_number for path in boxes]
    for revoked in ((boxes[0],), (boxes[1],), (boxes[0],), ()):
        authority.revoke(revoked, now=NOW + timedelta(days=20))
    listed = x509.load_pem_x509_crl(authority.revocations.read_bytes())
    assert [one.serial_number for one in listed] == serials
    assert listed.next_update_utc == NOW + timedelta(days=50), "written anew, it holds another thirty days"


def test_the_root_is_needed_once_and_a_new_intermediate_leaves_the_old_ones_boxes_alone(
    tmp_path: Path,
) -> None:
    authority = Authority.create(tmp_path / "ca", name="fleet", now=NOW)
    before = authority.issue_client(tmp_path / "box-1", name="box-1", now=NOW)
    kept = (tmp_path / "ca" / "root.key").rename(tmp_path / "safe.key")
    authority.issue_client(tmp_path / "box-2", name="box-2", now=NOW)  # the root's key lies in a safe
    kept.rename(tmp_path / "ca" / "root.key")
    authority.make_intermediate(now=NOW + timedelta(days=700))
    after = authority.issue_client(tmp_path / "box-3", name="box-3", now=NOW + timedelta(days=700))
    for identity, when in ((before, NOW), (after, NOW + timedelta(days=700))):
        leaf, signer = x509.load_pem_x509_certificates(identity.certificate.read_bytes())
        leaf.verify_directly_issued_by(signer)
        signer.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate.read_bytes()))
        assert leaf.not_valid_before_utc < when < leaf.not_valid_after_utc
