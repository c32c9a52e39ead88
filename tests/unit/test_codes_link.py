"""Links: shown, never fetched, and honest about where they lead."""

from __future__ import annotations

import pytest

from tillbox.contracts.codes import LinkCode
from tillbox.contracts.codes.link import URL_CHARACTERS_MAX, link_code
from tillbox.contracts.verdicts import Reason, Refused


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://shop.example/plate/17?t=1", "shop.example"),
        ("HTTP://SHOP.EXAMPLE", "shop.example"),
        ("https://[2001:db8::1]:8443/x", "2001:db8::1"),
        ("https://shop.example/?名=茶", "shop.example"),
        ("https://pay.example@evil.example/", "evil.example"),
    ],
)
def test_a_link_says_which_host_it_leads_to(text: str, host: str) -> None:
    link = link_code(text)
    assert link == LinkCode(text)
    assert link.host == host


@pytest.mark.parametrize(
    "text",
    ["https://", "http:///path", "https://[::1", "https://a b/", "https://good.example\\@evil.example/"],
)
def test_a_broken_link_is_damaged(text: str) -> None:
    assert link_code(text) == Refused(Reason.CODE_DAMAGED, "URL")
    with pytest.raises(ValueError, match="no http or https address"):
        LinkCode(text)


@pytest.mark.parametrize(
    "text",
    ["javascript:alert(1)", "weixin://wxpay/bizpayurl?pr=1", "ftp://x", "file:///etc/passwd", "www.x.cn"],
)
def test_another_scheme_is_no_link_of_ours(text: str) -> None:
    assert link_code(text) is None


def test_a_link_has_a_length_that_ends() -> None:
    longest = "https://shop.example/".ljust(URL_CHARACTERS_MAX, "a")
    assert link_code(longest) == LinkCode(longest)
    assert link_code(longest + "a") == Refused(Reason.CODE_TOO_LONG, "URL")
