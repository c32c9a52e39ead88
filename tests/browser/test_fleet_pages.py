"""The fleet in a real browser: head office at a desk, an engineer with a phone. A core alone, its registry filled by
hand; no broker and no box. The pictures are left in pytest's temporary folder for a person to look at."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import insert
from tests.browser.test_looks import FAULTS, READABLE, THUMB_PX
from tests.browser.visitor import PATIENCE_MS
from tests.core_alone import CoreAlone, core_alone, now_ms, photograph
from tests.patience import eventually

from tillbox.agent.provisioning.keystore import FileKeyStore
from tillbox.broker.line import Message
from tillbox.cloud_bridge.fleet.settings import for_box
from tillbox.cloud_bridge.store import tables
from tillbox.cloud_bridge.store.database import upsert
from tillbox.contracts import topics
from tillbox.contracts.messages import Live
from tillbox.contracts.packing import packed

pytestmark = pytest.mark.browser

HOSTILE = '<script>alert("1")</script> 茶'
BIRTH = json.dumps(
    {
        "checks": [
            {"check": "printer", "light": "green", "says": "Ready."},
            {"check": "clock", "light": "yellow"},
        ]
    }
).encode()
TELEMETRY = b'{"inc": "0000000000000000", "seq": 12, "pending": 12, "oldest_pending_ms": 1790000000000}'
THUMB_IN_A_GLOVE_PX = 44
GOODS = [
    {"gtin": "06901234567892", "name": "茉莉花茶 大杯", "price": 1_250},
    {"gtin": "06921168509256", "name": HOSTILE, "price": 200},
    {"gtin": "04006381333931", "name": "冰糖雪梨汁 Rock sugar pear juice", "price": 98_765_400},
]
HEIGHTS = """[...document.querySelectorAll("main :is(button, a.button, summary)")]
  .filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().height)"""


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreAlone]:
    with core_alone(tmp_path_factory.mktemp("core")) as running:
        places = [
            {"store": f"s{store}", "lane": f"l{lane}", "title": HOSTILE if store == 3 else f"茶铺{store}店"}
            for store in range(1, 31)
            for lane in (1, 2, 3)
        ]
        running.do("plan-places", places=[{**one, "group": "north"} for one in places[:30]])
        running.do("plan-places", places=places[30:])
        for number, place in enumerate(places[:40]):
            device = f"b{number:03}2k2v7m4t6w2a5"
            running.enrol(f"{place['store']}/{place['lane']}", device, BIRTH)
            running.hear(device, ("online", "online", "lost", "offline")[number % 4], TELEMETRY)
        running.hear("box-1", "online")
        running.do("make-claims", places=["s14/l1", "s15"], uses=3)
        running.do("revoke-box", device="b0012k2v7m4t6w2a5")
        yield running


@pytest.fixture(scope="module")
def passwords(core: CoreAlone) -> dict[str, str]:
    return {role: core.operator(role) for role in ("viewer", "engineer", "operator")}


def log_in(page: Page, core: CoreAlone, who: str, password: str, where: str) -> None:
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{core.url}/login?lang=en")
    page.fill("[name=name]", who)
    page.fill("[name=password]", password)
    page.click("button.primary")
    page.wait_for_url("**/")
    page.goto(f"{core.url}{where}")


def test_head_office_finds_a_store_narrows_it_and_keeps_the_view(
    page: Page, core: CoreAlone, passwords: dict[str, str]
) -> None:
    log_in(page, core, "operator", passwords["operator"], "/boxes")
    rows = page.locator("table.stack tbody tr, table.stack > tr")
    expect(rows).to_have_count(50)
    page.get_by_role("link", name="Further").click()
    expect(page.locator("main")).to_contain_text("box-1")
    page.goto(f"{core.url}/boxes")
    page.fill("[name=search]", "茶铺7店")
    page.get_by_role("button", name="Search").click()
    expect(rows).to_have_count(3)
    page.goto(f"{core.url}/boxes?group=north")
    page.locator(".chip", has_text="lost").click()
    expect(rows.first).to_contain_text("lost")
    lost = rows.count()
    page.fill("[name=name]", "北区失联")
    page.get_by_role("button", name="Save this view").click()
    page.goto(f"{core.url}/boxes")
    page.get_by_role("link", name="北区失联").click()
    expect(rows).to_have_count(lost)
    page.get_by_role("link", name="By store").click()
    page.get_by_role("link", name="s1", exact=True).click()
    expect(page.locator("h1")).to_contain_text("s1")


def test_a_form_that_somebody_fills_in_is_not_taken_away_by_news(
    page: Page, core: CoreAlone, passwords: dict[str, str]
) -> None:
    log_in(page, core, "operator", passwords["operator"], "/provision")
    page.fill("form[action='/do/plan-places'] [name=store]", "s99")
    with page.expect_response("**/provision") as told:
        core.do("plan-places", places=[{"store": "s98", "lane": "l1", "title": "x"}])
        core.running.core.fleet_changed()
        expect(page.locator("[name=store]")).to_have_value("s99")
        page.fill("form[action='/do/plan-places'] [name=store]", "")
        page.locator("h1").click()
        page.evaluate("document.activeElement.blur()")
    assert told.value.ok
    expect(page.locator(".chip", has_text="planned")).to_be_visible()


def choose(page: Page, picture: bytes) -> None:
    """Choose a photo. A person's hand is on the field meanwhile, so that the page is not fetched again under it; a browser
    that is driven may put it into a field that has just gone."""
    field = page.locator("[name=photo]")
    for _ in range(3):
        field.set_input_files({"name": "x.jpg", "mimeType": "image/jpeg", "buffer": picture})
        if field.input_value():
            break
    expect(field).not_to_have_value("")


def test_an_engineer_accepts_on_a_phone_with_the_slip_and_not_without(
    browser: Browser, core: CoreAlone, passwords: dict[str, str], tmp_path: Path
) -> None:
    box = FileKeyStore(tmp_path / "box.key")
    proof = core.let_in("s20/l2", box, BIRTH)
    page = browser.new_page(viewport={"width": 390, "height": 844})
    log_in(page, core, "engineer", passwords["engineer"], "/field")
    expect(page.locator("nav")).not_to_contain_text("Audit")
    page.fill("[name=search]", "s20/l2")
    page.locator("main button.primary").click()
    expect(page.locator("section.card")).to_have_count(1)
    assert min(page.evaluate(HEIGHTS)) >= THUMB_IN_A_GLOVE_PX
    page.get_by_role("link", name="Accept").click()
    page.locator("button.large").click()
    expect(page.locator("[role=alert]")).to_contain_text("The slip is not this box's")
    page.goto(f"{core.url}/field")
    page.fill("[name=search]", f"{core.url}/field/{box.device}?s={proof}")
    page.locator("main button.primary").click()
    page.get_by_role("link", name="Accept").click()
    choose(page, b"no photo")
    page.locator("button.large").click()
    expect(page.locator("main")).to_contain_text("Accepted")
    expect(page.locator("main [role=alert]")).to_contain_text("This is no picture")
    picture = photograph((3_000, 4_000))
    choose(page, picture)
    page.get_by_role("button", name="Add the photo").click()
    expect(page.locator("main [role=status]")).to_contain_text("The photo is kept")
    expect(page.locator("h1")).to_contain_text("s20/l2")
    assert min(page.evaluate(HEIGHTS)) >= THUMB_IN_A_GLOVE_PX
    page.screenshot(path=tmp_path / "accepted.light.phone.png", full_page=True)
    page.close()


def test_a_price_is_changed_at_one_store_seen_first_and_taken_back(
    page: Page, core: CoreAlone, passwords: dict[str, str]
) -> None:
    goods = [{"gtin": "06901234567892", "name": HOSTILE, "price": 1250}]
    core.do("decide-settings", scope="tenant", settings={"tenant": "corner-tea", "goods": goods})
    log_in(page, core, "operator", passwords["operator"], "/settings")
    page.fill("[name=search]", "s22")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Store s22", exact=True).click()
    setting = page.locator("fieldset", has_text="Goods")
    expect(setting.locator(".inherits")).to_contain_text("12.50")
    expect(setting.locator(".inherits a")).to_have_text("Tenant")
    price = page.locator("[name='goods.0.price']")
    expect(price).to_be_hidden()
    setting.get_by_label("Decide it here").check()
    expect(price).to_have_value("12.50")
    price.fill("thirteen")
    page.fill("[name='goods.1.gtin']", "4006381333931")
    price.press("Enter")
    expect(setting.locator("[role=alert]").first).to_contain_text("Write an amount")
    expect(price).to_have_value("thirteen")
    expect(page.locator("[name='goods.1.gtin']")).to_have_value("4006381333931")
    price.fill("13.5")
    page.fill("[name='goods.1.gtin']", "")
    page.get_by_role("button", name="More rows").click()
    expect(price).to_have_value("13.5")
    page.get_by_role("button", name="See what would change").click()
    expect(page.locator("main")).to_contain_text("3 / 3 places would get other settings")
    expect(page.locator("del")).to_contain_text("12.50")
    expect(page.locator("ins")).to_contain_text("13.50")
    page.get_by_role("button", name="Decide it so").click()
    expect(page.locator("[role=status]")).to_contain_text("This is version 1")
    page.get_by_role("button", name="Undo …").click()
    expect(page.locator("ins")).to_contain_text("12.50")
    page.get_by_role("button", name="Undo the last decision").click()
    expect(page.locator("main")).to_contain_text("Version 2")
    expect(page.locator("fieldset", has_text="Goods").locator(".inherits")).to_contain_text("12.50")


def test_a_box_is_replaced_and_the_claim_is_shown_once(
    page: Page, core: CoreAlone, passwords: dict[str, str]
) -> None:
    log_in(page, core, "operator", passwords["operator"], "/boxes/b0002k2v7m4t6w2a5")
    act = page.locator("details", has_text="Replace this box")
    act.locator("summary").click()
    act.locator("button").click()
    expect(page).to_have_url(f"{core.url}/boxes/b0002k2v7m4t6w2a5")
    act.locator("[type=checkbox]").check()
    act.locator("button").click()
    expect(page.locator(".typed")).to_be_visible()
    assert re.fullmatch(r"(\w{4}-){3}\w{4}", page.locator(".typed").inner_text())
    expect(page.locator("svg.code")).to_be_visible()
    expect(page.locator("script")).to_have_count(0)
    page.get_by_role("link", name="Back").click()
    expect(page.locator("h1")).to_contain_text("b0002k2v7m4t6w2a5")
    expect(page.locator("main")).to_contain_text("replace-box")


def test_a_box_that_was_put_out_is_written_off_with_a_reason(
    page: Page, core: CoreAlone, passwords: dict[str, str]
) -> None:
    log_in(page, core, "operator", passwords["operator"], "/boxes?state=put_out")
    page.get_by_role("link", name="b0012k2v7m4t6w2a5").click()
    expect(page.locator("main")).to_contain_text("1–12")
    page.fill("[name=codes]", "6901234567892\n\nno slip")
    page.get_by_role("button", name="Take the slips in").click()
    expect(page.locator("td.bad")).to_have_count(2)
    page.get_by_role("link", name="Back").click()
    act = page.locator("details", has_text="Write off")
    act.locator("summary").click()
    act.locator("[name=why]").fill("burnt with the shop")
    act.locator("[type=checkbox]").check()
    act.locator("button").click()
    expect(page.locator("main")).to_contain_text("Nothing is open")


def live(core: CoreAlone, device: str, place: str) -> None:
    """A box has a photograph, settings, and newer ones that it did not take; and something happened to it."""
    photo = b64encode(photograph((1_200, 1_600))).decode()
    core.do("add-photo", device=device, picture=photo)
    core.do("accept-box", device=device, note="behind the counter")
    core.do(
        "decide-settings",
        scope="tenant",
        settings={"tenant": "corner-tea", "goods": GOODS, "stocks": {"tea5": 20}},
    )
    made = [{"language": "zh"}, {"language": "en", "goods": [{**one, "price": 1_000} for one in GOODS]}]
    for version, settings in enumerate(made):
        core.do("decide-settings", scope=f"store:{place.partition('/')[0]}", settings=settings)
        with core.database.writing() as connection:
            for_box(connection, device, place, 1, key=core.home.key, now_ms=now_ms())
            stands = {"version": version, "refused": "settings_wrong goods.0.gtin", "refused_version": 2}
            upsert(connection, tables.reported, [{"device": device, **stands, "at_ms": now_ms()}], "device")
            shout = {"device": device, "kind": "paper_out", "subject": "", "detail": "", "at_ms": now_ms()}
            for what in ("raised", "cleared"):
                connection.execute(insert(tables.alert_event), {**shout, "what": what})


STRANGER = b"""<!doctype html><p>the till</p><script>parent.owned = 1; document.title = "owned"; fetch("/stolen")</script>
<img src="/stolen.png" onerror="parent.owned = 2"><link rel="stylesheet" href="/stolen.css"><iframe src="/stolen.html"></iframe>
<meta http-equiv="refresh" content="0;url=/stolen"><form action="/stolen" method="post"><button>press</button></form>
<a href="/stolen" target="_top">out</a><style>p { background: url(/stolen.gif) } @import "/stolen.css";</style>"""


def test_a_hostile_screen_can_do_nothing_and_load_nothing(
    page: Page, core: CoreAlone, passwords: dict[str, str]
) -> None:
    device = "b0082k2v7m4t6w2a5"
    made = core.do("send-command", box=device, verb="watch", what="screen", minutes=5)
    core.running.core.fleet_changed()
    said = Live(what="screen", command=made.id, data=packed(STRANGER)).model_dump_json().encode()

    def came() -> bool:
        core.running.core._hear(Message(topics.live_up(device), said))
        return page.request.get(f"{core.url}/boxes/{device}/screen").ok

    answered: list[
        str
    ] = []  # what is asked for and forbidden is a request to the browser, and never one to the core
    page.on("response", lambda response: answered.append(response.url))
    log_in(page, core, "operator", passwords["operator"], "/boxes")
    assert eventually(came)
    page.goto(f"{core.url}/boxes/{device}/live")
    frame = page.frame_locator(".screen iframe").last
    expect(frame.locator("p")).to_have_text("the till")
    frame.locator("button").click()
    frame.locator("a").click()
    page.wait_for_timeout(500)
    assert page.evaluate("window.owned") is None
    assert page.url == f"{core.url}/boxes/{device}/live"
    assert any(url.endswith(f"/boxes/{device}/live") for url in answered)
    assert [url for url in answered if "stolen" in url] == []
    page.goto(f"{core.url}/boxes/{device}/screen")  # also where somebody opens its own address
    page.wait_for_timeout(300)
    assert page.title() == ""
    assert [url for url in answered if "stolen" in url] == []


# Every page with its awkward data is photographed in all four ways by test_looks.py; these are whole and live.
@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "size", "width"), [("light", "desk", 1280), ("dark", "phone", 390)])
def test_the_pages_of_the_fleet_can_be_read_and_pressed(
    browser: Browser,
    core: CoreAlone,
    passwords: dict[str, str],
    tmp_path: Path,
    scheme: str,
    size: str,
    width: int,
) -> None:
    live(core, "b0042k2v7m4t6w2a5", "s2/l2")
    core.do("pin-box", place="s4/l1")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    log_in(page, core, "operator", passwords["operator"], "/boxes")
    faults: dict[str, list[str]] = {}

    def look(name: str) -> None:
        page.wait_for_load_state()  # a button leads to a page that is there before its style is
        faults[name] = page.evaluate(FAULTS, [READABLE, THUMB_PX])
        page.screenshot(path=tmp_path / f"{name}.{scheme}.{size}.png", full_page=True)

    for name, path in {
        "boxes": "/boxes",
        "stores": "/boxes?by=store&group=north",
        "box": "/boxes/b0022k2v7m4t6w2a5",
        "provision": "/provision?lang=zh",
        "audit": "/audit?lang=en",
        "field": "/field?search=s3",
        "settings": "/settings?search=s3",
        "level": "/settings?scope=store:s2&lang=zh",
        "pinned": "/settings?scope=box:s4/l1&lang=en",
        "box-taken": "/boxes/b0042k2v7m4t6w2a5",
        "timeline": "/boxes/b0042k2v7m4t6w2a5/timeline",
    }.items():
        page.goto(f"{core.url}{path}")
        look(name)
    page.goto(f"{core.url}/settings?scope=store:s2&lang=en")
    page.fill("[name='goods.1.price']", "2.50")
    page.get_by_role("button", name="See what would change").click()
    expect(page.locator("ins").first).to_contain_text("2.50")
    look("preview")
    page.goto(f"{core.url}/provision?lang=en")
    page.fill("[name=places]", "s20/l1")
    page.locator("form[action='/do/make-claims'] button").click()
    expect(page.locator(".typed")).to_be_visible()
    look("claims")
    page.close()
    assert not any(faults.values()), faults
