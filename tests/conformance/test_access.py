"""Who gets in where: every role and nobody, at every route that the core has. The routes are asked of the app itself, so that
one without a row here fails; who may an act is asked of everybody, too."""

from __future__ import annotations

import os
import socket
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest
from tests.core_alone import CoreAlone, core_alone, photograph

from tillbox.cloud_bridge.api.keys import new_key
from tillbox.cloud_bridge.console.auth import new_password
from tillbox.cloud_bridge.fleet.acts import ACTS, ROLES, may

NOBODY = "nobody"
WHO = (NOBODY, *ROLES)
BOX = "bq3xk2v7m4t6w2a5d"
PHOTO = b64encode(photograph()).decode()

PAGES = {
    "/": "viewer", "/sales/{tid}": "viewer", "/boxes": "viewer", "/boxes/{device}": "viewer", "/coupons": "viewer",
    "/beside": "viewer", "/accounts/{name}": "viewer", "/trouble": "viewer", "/patterns": "viewer",
    "/alerts": "viewer", "/health": "viewer", "/commands": "viewer", "/commands/{command}": "operator",
    "/bulks": "viewer", "/bulks/{bulk}": "viewer",
    "/boxes/{device}/timeline": "viewer", "/settings": "operator", "/boxes/{device}/photo": "operator",
    "/boxes/{device}/live": "operator",
    "/recordings/{shell}": "admin",
    "/field": "engineer", "/field/{device}": "engineer", "/provision": "operator", "/audit": "operator",
}  # fmt: skip
"""Pages, with the least role that sees them."""
NOT_THERE = ("{tid}", "{command}", "{bulk}", "{shell}")
LISTS = {
    "/api/1/places": "viewer", "/api/1/boxes/{device}": "viewer",
    "/api/1/claims": "operator", "/api/1/provisioning": "operator", "/api/1/audit": "operator",
    "/api/1/boxes/{device}/log": "operator",
    "/api/1/alerts": "viewer", "/api/1/alert-events": "viewer", "/api/1/health": "viewer",
    "/api/1/openapi.json": "viewer",
    "/api/1/boxes/{device}/twin": "viewer", "/api/1/boxes/{device}/timeline": "viewer",
    "/api/1/settings": "operator", "/api/1/settings/versions": "operator", "/api/1/commands": "viewer", "/api/1/commands/{command}": "operator", "/api/1/bulks": "viewer",
    "/api/1/recordings/{shell}": "admin",
}  # fmt: skip
"""Lists of the API."""
LEAST = {
    "plan-places": "operator", "make-claims": "operator", "extend-claim": "operator", "revoke-claim": "operator",
    "replace-box": "operator", "revoke-box": "operator", "accept-box": "engineer", "add-photo": "engineer", "retire-box": "operator",
    "close-range": "operator", "take-slips": "engineer", "decide-settings": "operator",
    "save-view": "viewer", "drop-view": "viewer",
    "preview-settings": "operator", "undo-settings": "operator", "pin-box": "operator",
    "open-shell": "admin", "end-shell": "admin",
    "send-command": "operator", "send-commands": "operator", "approve-bulk": "operator", "stop-bulk": "operator",
}  # fmt: skip
"""Acts. It says again what the table of acts says: whoever changes one thinks twice."""
SHELLS = {"/api/1/shells/{shell}/input": "POST", "/api/1/shells/{shell}/output": "GET"}
"""Of whoever opened that shell, who is an admin."""
OPEN = {"/static", "/r/{tid}", "/login", "/livez", "/healthz", "/notify"}
"""For anybody. A receipt's address is its secret; a notice is believed by its signature."""
OF_A_SESSION = {"/logout", "/live", "/do/{act}", "/boxes/{device}/screen"}
BODIES = {
    "plan-places": {"places": [{"store": "s9", "lane": "l1", "title": "x"}]},
    "make-claims": {"places": ["s1/l1"]},
    "extend-claim": {"number": 99},
    "revoke-claim": {"number": 99},
    "replace-box": {"place": "s1/l9"},
    "take-slips": {"codes": ["x"]},
    "add-photo": {"device": "bnobody22222222aa", "picture": PHOTO},
    "decide-settings": {"scope": "store:s9", "settings": {}},
    "preview-settings": {"scope": "store:s9", "settings": {}},
    "undo-settings": {"scope": "store:s9"},
    "pin-box": {"place": "s9/l9"},
    "send-command": {"verb": "self-test", "box": "bnobody22222222aa"},
    "send-commands": {"verb": "self-test", "scope": ["s9"]},
    "approve-bulk": {"bulk": "01900000-0000-7000-8000-000000000000"},
    "stop-bulk": {"bulk": "01900000-0000-7000-8000-000000000000"},
    "open-shell": {"box": "bnobody22222222aa", "why": "x"},
    "end-shell": {"shell": "01900000-0000-7000-8000-000000000000"},
    "save-view": {"name": "mine"},
    "drop-view": {"name": "mine"},
}  # fmt: skip
FORMS = {
    "plan-places": {"store": "s9", "lane": "l1", "title": "x"},
    "make-claims": {"places": "s1/l1"},
    "take-slips": {"codes": "x"},
    "send-commands": {"verb": "self-test", "scope": "s1", "waves": "50, 100"},
}


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreAlone]:
    with core_alone(tmp_path_factory.mktemp("core")) as running:
        running.do("plan-places", places=[{"store": "s1", "lane": "l1", "title": "茶铺"}])
        running.enrol("s1/l1", BOX)
        running.do("add-photo", device=BOX, picture=PHOTO)
        yield running


@pytest.fixture(scope="module")
def visitors(core: CoreAlone) -> Iterator[dict[str, httpx.Client]]:
    """Everybody, signed in where there is somebody."""
    # The server shuts a connection after five idle seconds, which is when httpx would try it once more.
    kept = httpx.Limits(keepalive_expiry=2)
    clients = {who: httpx.Client(base_url=core.url, headers={"Origin": core.url}, limits=kept) for who in WHO}
    for role in ROLES:
        said = {"name": role, "password": core.operator(role)}
        assert clients[role].post("/login", data=said).status_code == 303
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture(scope="module")
def keys(core: CoreAlone) -> dict[str, dict[str, str]]:
    """The header of a program of each role, whose owner may no more."""
    made = {}
    for role in ROLES:
        owner = f"of-{role}"
        new_password(core.database, owner, chance=os.urandom, role=role)
        made[role] = new_key(core.database, f"k-{role}", role, owner=owner, chance=os.urandom, now_ms=1)
    return {NOBODY: {}} | {role: {"Authorization": f"Bearer {key}"} for role, key in made.items()}


def paths(routes: Iterable[Any]) -> Iterator[str]:
    """The path of every route. Of another kind of route, that has none, nobody could say who may: an error."""
    for one in routes:
        inside = getattr(one, "original_router", None)
        if inside is None:
            yield one.path
        else:
            yield from paths(inside.routes)


@pytest.fixture(scope="module")
def tokens(visitors: dict[str, httpx.Client]) -> dict[str, str]:
    """What the forms of each carry; nobody's is a guess."""
    pages = {role: visitors[role].get("/coupons").text for role in ROLES}
    found = {role: page.partition('name="csrf" value="')[2].partition('"')[0] for role, page in pages.items()}
    return {NOBODY: "guess"} | found


def test_every_route_of_the_core_has_its_row_here(core: CoreAlone) -> None:
    acts = {f"/api/1/acts/{name}" for name in LEAST}
    app: Any = core.running.server.config.app
    assert set(paths(app.routes)) == set(PAGES) | set(LISTS) | set(SHELLS) | OPEN | OF_A_SESSION | acts
    assert {name: act.least for name, act in ACTS.items()} == LEAST


@pytest.mark.parametrize("who", WHO)
def test_a_page_is_seen_by_its_role_and_those_above(visitors: dict[str, httpx.Client], who: str) -> None:
    for path, least in PAGES.items():
        names = {"tid": "no", "device": BOX, "name": "cash:x", "command": "no", "bulk": "no", "shell": "no"}
        answer = visitors[who].get(path.format(**names))
        if who == NOBODY:
            assert (answer.status_code, answer.headers["location"][:12]) == (303, "/login?next="), path
        elif may(who, least):
            assert answer.status_code == (404 if any(one in path for one in NOT_THERE) else 200), path
        else:
            assert answer.status_code == 403, path
        assert "unsafe-inline" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("who", WHO)
def test_a_list_of_the_api_needs_a_key_of_its_role(
    visitors: dict[str, httpx.Client], keys: dict[str, dict[str, str]], who: str
) -> None:
    for path, least in LISTS.items():
        address = path.format(device=BOX, command="no", shell="no")
        status = visitors[NOBODY].get(address, headers=keys[who]).status_code
        there = 404 if path.endswith(("{command}", "{shell}", "/twin")) else 200
        assert status == (401 if who == NOBODY else there if may(who, least) else 403), path


def test_a_shell_is_typed_into_and_seen_by_the_admin_who_opened_it_alone(
    core: CoreAlone, visitors: dict[str, httpx.Client], keys: dict[str, dict[str, str]]
) -> None:
    visitor = visitors[NOBODY]
    body = {"box": BOX, "why": "x"}
    shell = visitor.post("/api/1/acts/open-shell", json=body, headers=keys["admin"]).json()["id"]
    again = visitor.post("/api/1/acts/open-shell", json=body, headers=keys["admin"])
    assert (again.status_code, again.json()["refused"]) == (409, "shell_busy")
    new_password(core.database, "other", chance=os.urandom, role="admin")
    key = new_key(core.database, "k-other", "admin", owner="other", chance=os.urandom, now_ms=1)
    other = {"Authorization": f"Bearer {key}"}
    asked = {**keys, "other": other}
    for path, verb in SHELLS.items():
        address = path.format(shell=shell) + ("?after=0" if verb == "GET" else "")
        seen = {
            who: visitor.request(
                verb, address, headers=asked[who], json={} if verb == "POST" else None
            ).status_code
            for who in (NOBODY, "viewer", "operator", "other")
        }
        assert seen == {NOBODY: 401, "viewer": 403, "operator": 403, "other": 409}, path
    typed = visitor.post(f"/api/1/shells/{shell}/input", json={"data": "bHM="}, headers=keys["admin"])
    assert typed.status_code == 200
    ended = visitor.post("/api/1/acts/end-shell", json={"shell": shell}, headers=other)
    assert ended.status_code == 200, "any admin ends it"


@pytest.mark.parametrize("act", LEAST)
def test_an_act_is_done_for_its_role_by_key_and_by_form_alike(
    visitors: dict[str, httpx.Client],
    tokens: dict[str, str],
    keys: dict[str, dict[str, str]],
    act: str,
) -> None:
    body = BODIES.get(act, {"device": "bnobody22222222aa"})
    for who in WHO:
        by_key = visitors[NOBODY].post(f"/api/1/acts/{act}", json=body, headers=keys[who]).status_code
        fields = FORMS.get(act) or {name: word for name, word in body.items() if isinstance(word, (str, int))}
        said = {"csrf": tokens[who], **fields}
        by_form = visitors[who].post(f"/do/{act}", data=said).status_code
        if who == NOBODY:
            assert (by_key, by_form) == (401, 403)
        elif may(who, LEAST[act]):
            assert by_key in (200, 409), who
            assert by_form in ((200, 303) if act in FORMS else (303, 409)), who
        else:
            assert (by_key, by_form) == (403, 403), who


@pytest.mark.parametrize("act", LEAST)
def test_whoever_may_not_learns_nothing_of_what_an_act_takes(
    visitors: dict[str, httpx.Client], keys: dict[str, dict[str, str]], act: str
) -> None:
    url = f"/api/1/acts/{act}"
    for content in (b"{", b"[]", b'{"no": "such field"}', b"\xff"):
        for who in WHO:
            headers = {"Content-Type": "application/json", **keys[who]}
            answer = visitors[NOBODY].post(url, content=content, headers=headers)
            if who == NOBODY:
                assert (answer.status_code, list(answer.json())) == (401, ["detail"]), content
            else:
                assert answer.status_code in ((400, 422) if may(who, LEAST[act]) else (403,)), (who, content)


@pytest.mark.parametrize("who", WHO)
def test_what_belongs_to_a_session_wants_one_and_its_token(
    visitors: dict[str, httpx.Client], who: str
) -> None:
    client = visitors[who]
    assert client.post("/logout", data={"csrf": "not mine"}).status_code == 403
    assert client.post("/do/save-view", data={"csrf": "not mine", "name": "x"}).status_code == 403
    elsewhere = {"Origin": "http://elsewhere"}
    assert client.post("/do/save-view", data={"name": "x"}, headers=elsewhere).status_code == 403
    with client.stream("GET", "/live") as stream:
        assert stream.status_code == (403 if who == NOBODY else 200)


@pytest.mark.parametrize("who", WHO)
def test_a_boxs_screen_is_for_its_role_and_in_a_frame_that_lets_it_do_nothing(
    visitors: dict[str, httpx.Client], who: str
) -> None:
    answer = visitors[who].get(f"/boxes/{BOX}/screen")
    assert answer.status_code == (404 if who != NOBODY and may(who, "operator") else 403), (
        "nothing was sent yet"
    )
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"sandbox", "default-src 'none'", "form-action 'none'", "frame-ancestors 'self'"} <= set(policy)
    assert not any(word.startswith(("script-src", "connect-src", "frame-src")) for word in policy)


def test_what_is_open_is_open_to_nobody_in_particular(visitors: dict[str, httpx.Client]) -> None:
    nobody = visitors[NOBODY]
    seen = {
        path: nobody.get(path).status_code for path in ("/static/console.css", "/login", "/livez", "/healthz")
    }
    assert set(seen.values()) == {200}, seen
    assert nobody.get("/r/no").status_code == 404
    assert nobody.post("/notify", content=b"{}").status_code == 401
    assert nobody.get("/no/such/page").status_code == 404


@pytest.mark.parametrize("path", ["/login", "/logout", "/settings", "/do/add-photo", "/api/1/acts/add-photo"])
def test_a_body_in_chunks_is_not_read(core: CoreAlone, path: str) -> None:
    where = httpx.URL(core.url)
    head = f"POST {path} HTTP/1.1\r\nHost: {where.host}:{where.port}\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n"
    with socket.create_connection((where.host, where.port or 80), timeout=5) as line:
        line.sendall(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n".encode())
        assert line.recv(12) == b"HTTP/1.1 413", "before any of it came"


@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_nobody_signs_in_or_out_by_a_file(visitors: dict[str, httpx.Client], path: str) -> None:
    assert visitors["viewer"].post(path, files={"name": b"a file"}).status_code == 400
