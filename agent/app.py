"""A box, wired: one inbox, one thread for the till, one per device, paho's own, one for the screen."""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog

from tillbox.broker.journal import Journal, JournalBroken, JournalDamaged, JournalFull, open_journal
from tillbox.broker.line import Down, Happening, Line, Message, Up, Will
from tillbox.broker.medium import FileMedium
from tillbox.broker.mqtt import Endpoint, MqttLine, own_waits
from tillbox.contracts import topics
from tillbox.contracts.clock import TimeBelief
from tillbox.contracts.codes import CodeRead, ScannerMode, classify
from tillbox.contracts.codes.frames import PREFIX as FRAME
from tillbox.contracts.codes.frames import Collector
from tillbox.contracts.codes.slip import slip_in
from tillbox.contracts.ids import CHANCE_BYTES, INCARNATION_BYTES, uuid7
from tillbox.contracts.messages import BornAnswer, Promise, SlipAnswer, SlipAsk, State, Tapped, Vitals
from tillbox.contracts.settings import SettingsWrong
from tillbox.contracts.verdicts import Reason, Refused
from tillbox.hardware.drivers.drawer import PrinterDrawer
from tillbox.hardware.drivers.worker import monotonic_ms
from tillbox.hardware.ports import (
    CodeReader,
    DeviceBack,
    DeviceTrouble,
    Face,
    PrinterState,
    Triggered,
    TroubleKind,
)
from tillbox.hardware.printing import encode
from tillbox.hardware.printing.document import Document
from tillbox.hardware.printing.drawing import system_letters
from tillbox.hardware.printing.profiles import PROFILES, WIDE

from . import till as shop
from .alerts import Device, Key, Signs
from .clock import BootClock, shown, wall_ms
from .config import BoxConfig
from .front import Front, face_of
from .logs import LogFiles
from .papers import signed_code
from .past import Past, recall
from .printing import Perhaps, PrintRoom
from .prints import PrintState
from .receipts import Shop, slip_document
from .runtime import Parts, Runtime
from .shell.consent import Visitor
from .tally import Tally
from .tapping import TapRoom
from .updates.machine import PASSING
from .updates.room import UpdateRoom
from .vitals import Machine as Hardware
from .vitals import VitalsRoom
from .witness import FileWitness, NoWitness
from .words import Word

if TYPE_CHECKING:
    from .shell.room import ShellRoom

INBOX_MAX = 64  # a hand scanner manages 3 codes a second; 20 s of backlog means a dead till, so say so
LINE_NEWS_MAX = 8  # the newest matter; a line that comes and goes faster than that is down
SHOWN_MAX = 20  # messages that the screen remembers
TICK_S = 0.1
REOPEN_S = 5.0  # between two tries to open a journal that cannot be opened
CAMERAS = ("camera", "film")
CLOCK_OFF_MS = 3_600_000  # an hour: less than what any signed word about releases is good for
SOFTWARE = f"tillbox {version('tillbox')}"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """One message on the screen."""

    number: int
    show: shop.Show


@dataclass(frozen=True, slots=True)
class View:
    """Everything the screen draws from, replaced whole after each step."""

    till: shop.Till
    shown: tuple[Shown, ...]
    pending: int
    printer: PrinterState | None
    """None where the box has none."""
    perhaps: tuple[Perhaps, ...]
    """Slips that may be on paper: the cashier is asked."""
    clock_known: bool
    starting: bool
    """The till is not up yet: what it shows is no news of anything."""
    core_silent: bool
    """Records are on their way for so long that nobody seems to take them."""
    promise: Promise | None = None
    money_waits_min: int | None = None
    """For how long the oldest sale has waited for the core, in minutes; None where none waits."""
    alerts: tuple[Key, ...] = ()
    watched_until: str = ""
    """Until when head office sees this screen; empty where it does not."""
    visitor: Visitor | None = None
    """Who wants a remote shell, or has one."""


@dataclass(frozen=True, slots=True)
class TwinStands:
    """Which settings of its fleet a box uses, as it says with its birth."""

    twin: int | None = None
    twin_refused: str | None = None
    twin_said: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """How a box stands in its fleet. One that was put out hands in what it has over another line, and sells nothing."""

    caps: shop.Caps | None = None
    put_out: Reason | None = None
    late_line: Callable[[], Line] | None = None
    sign: Callable[[bytes], bytes] | None = None
    """Signs what goes on paper; None for a box without a key of its own."""


class Box:
    """One running box."""

    def __init__(
        self, config: BoxConfig, terms: Terms | None = None, *, alive: Callable[[str], None] = lambda _: None
    ) -> None:
        self.config = config
        self._alive = alive
        self._terms = terms or Terms()
        self._change: tuple[BoxConfig, Terms] | None = None
        self.view: View | None = None
        self.changed = threading.Condition()
        self._inbox: queue.Queue[Callable[[Runtime], None]] = queue.Queue(INBOX_MAX)
        self._shown: deque[Shown] = deque(maxlen=SHOWN_MAX)
        self._line_news: deque[Up | Down] = deque(maxlen=LINE_NEWS_MAX)
        self._numbers = 0
        self._profile = PROFILES[config.printer.profile] if config.printer else WIDE
        self._letters = system_letters()
        self.prints = self._print_room()
        self._front = self._customer_front()
        self._collector = Collector()
        self.updates = self._update_room()
        self._ended = threading.Event()
        self._runtime: Runtime | None = None
        self._readers: list[CodeReader] = []
        self.troubles: dict[str, str] = {}
        """What is wrong with devices now, by their names; for the doctor."""
        self._ill: dict[str, TroubleKind] = {}
        self.vitals = VitalsRoom(Hardware(config.state), lambda: self.config.broker.certificate)
        self.logs: LogFiles | None = None
        """The files of its log, where it keeps any."""
        self.records = 0
        self.twin = TwinStands()
        self.on_born: Callable[[BornAnswer], None] = lambda _: None
        self.on_desired: Callable[[bytes], None] = lambda _: None
        self.on_changed: Callable[[], None] = lambda: None
        self.on_line: Callable[[bool], None] = lambda _: None
        self.on_trouble: Callable[[DeviceTrouble | DeviceBack], None] = lambda _: None
        self.on_boot: Callable[[Runtime], None] = lambda _: None
        self.on_command: Callable[[Runtime, bytes], None] | None = None
        self.on_end: list[Callable[[], None]] = []
        """Called once the box is to end for good, before its devices are shut."""
        self.watched_until = ""
        """Until when head office sees the screen, for the cashier."""
        self.language = ""
        """In which language the cashier looked at it last; empty where nobody has yet."""
        self.shells: ShellRoom | None = None
        self._shell_topic = topics.shell_down(config.device)
        self.restarts = False
        """Whether the program is to be started anew once it has ended."""

    # what others call

    def offer(self, event: shop.Event) -> bool:
        """An event from the screen; False where the till is too busy to take it."""
        return self._put(lambda runtime: runtime.happen(event))

    def work(self, work: Callable[[Runtime], None]) -> bool:
        """Something to be done on the till's thread, between two events; False where it is too busy."""
        return self._put(work)

    def print_paper(self, request_id: str, document: Document) -> bool:
        """A paper of another program, once for its id. False where there is no printer, too much waits, or another paper was
        ordered under this id."""
        data = encode(document, self._profile, self._letters)
        return self.prints is not None and self.prints.print("ordered", request_id, data)

    def paper_state(self, request_id: str) -> PrintState | None:
        """Where that paper is; None for one that nobody asked for."""
        return self.prints.find(request_id) if self.prints else None

    def change(self, config: BoxConfig, terms: Terms) -> None:
        """Go on by another configuration as soon as nobody stands at the till; its machine part must be the same."""
        self._change = config, terms

    def print_slip(self, kind: str, ref: str, document: Document) -> bool:
        """A paper of the box itself, once for its name. False where there is no printer, or too much waits."""
        data = encode(document, self._profile, self._letters)
        return self.prints is not None and self.prints.print(kind, ref, data)

    def pull_triggers(self, on: bool) -> None:
        """Switch the scanners' lights on while a customer is to show a code, and off again."""
        for one in self._readers:
            if isinstance(one, Triggered):
                one.pull_trigger(on)

    def show_face(self, face: Face) -> None:
        """Another program's amount on the customer's display, until the till has something to show."""
        self._front.lend(face)

    def run(self) -> None:
        """Work until `stop`. A broken journal is opened again, or set aside and begun anew."""
        if self.prints:
            self.prints.start()
        self._front.start()
        self.vitals.start()
        self._start_readers()
        tap = self._tap_room()
        if self.updates:
            self.updates.start()
        try:
            while not self._ended.is_set():
                self._boot()
        finally:
            for end in self.on_end:
                end()
            for one in self._readers:
                one.stop()
            self.vitals.stop()
            if tap:
                tap.stop()
            if self.updates:
                self.updates.stop()
            self._front.stop()
            if self.prints:
                self.prints.stop()

    def stop(self) -> None:
        """End soon."""
        self._ended.set()

    def restart(self) -> None:
        """End soon, and begin anew: whoever runs this box sees to that."""
        self.restarts = True
        self.stop()

    # the hands of the runtime

    def show(self, show: shop.Show) -> None:
        self._numbers += 1
        self._shown.append(Shown(self._numbers, show))
        self._front.say(show)

    def print(self, slip: shop.Slip) -> None:
        assert self._runtime is not None
        at = self._runtime.belief.at(BootClock().boot_ms())
        shop_ = Shop(self.config.shop, self.config.device, self.config.claim_url)
        document = slip_document(slip, shop_, at, shown(at), self._code(slip))
        number = str(slip.content.number)
        if self.prints and not self.prints.print(
            slip.kind, number, encode(document, self._profile, self._letters)
        ):
            self.show(shop.Show(Refused(Reason.PRINTER_TROUBLE)))

    def _code(self, slip: shop.Slip) -> str:
        assert self._runtime is not None
        if self._terms.sign is None:
            return ""
        page, device = self.config.claim_url, self.config.device
        try:
            return signed_code(slip, self._runtime.journal, device=device, sign=self._terms.sign, page=page)
        except JournalBroken:
            return ""  # the record is safe and the customer waits: a paper without its code is a paper

    def answered(self, answer: BornAnswer | SlipAnswer) -> None:
        if isinstance(answer, BornAnswer):
            self.on_born(answer)
        elif answer.outcome in set(Reason):
            self.show(shop.Show(Refused(Reason(answer.outcome))))
        else:
            word = Word.SLIP_NEW if answer.outcome == "new" else Word.SLIP_KNOWN
            self.show(shop.Show(word, (str(answer.missing),)))

    def desired(self, sealed: bytes) -> None:
        self.on_desired(sealed)

    def kick(self, reason: str) -> None:
        log.info("drawer.kicked", reason=reason)
        if self.prints:
            self.prints.kick(reason)

    # the till's thread

    def _boot(self) -> None:
        clock, belief = BootClock(), TimeBelief(0)
        medium = FileMedium(self.config.state / "journal.db")
        at = belief.at(clock.boot_ms())
        try:
            journal, opening = open_journal(
                medium,
                device=self.config.device,
                incarnation=os.urandom(INCARNATION_BYTES).hex(),
                tid=uuid7(max(at.lo_ms, wall_ms()), os.urandom(CHANCE_BYTES)),
                at=at,
                software=SOFTWARE,
            )
        except JournalFull:
            log.warning("journal.full", hint="free some disk; the box cannot record sales")
            self._stand_still(Reason.DISK_FULL)
            return
        except JournalDamaged as damaged:
            aside = medium.quarantine(datetime.now(UTC).strftime("%Y%m%dT%H%M%S"))
            hint = "keep the file: it can be rescued"
            log.warning("journal.quarantined", why=str(damaged), kept=str(aside), hint=hint)
            return
        except JournalBroken as broken:
            log.warning("journal.out_of_reach", why=str(broken), hint="look at the card; it is tried again")
            self._stand_still(Reason.JOURNAL_BROKEN)
            return
        tally = Tally()
        past = recall(_counted(journal, tally))
        line = self._line(opening.inc)
        witness = FileWitness(self.config.witness) if self.config.witness else NoWitness()
        parts = Parts(
            device=self.config.device,
            line=line,
            hands=self,
            witness=witness,
            clock=clock,
            chance=os.urandom,
            free_bytes=medium.free_bytes,
            command=self.on_command,
            about=self._about,
        )
        runtime = Runtime(parts, journal, opening, shop.boot(self._setup(), past), belief, tally)
        self._runtime = runtime
        if past.last_sale is not None:
            self.show(shop.Show(Word.LAST_SALE, (str(past.last_sale.sale.number),)))
        self._line_news.clear()
        runtime.start()
        if self._terms.put_out is not None:
            runtime.happen(shop.PutOut(self._terms.put_out))
        self.on_boot(runtime)
        line.start(self._hear)
        log.info(
            "box.up", device=self.config.device, records=journal.position, pending=runtime.telemetry().pending
        )
        try:
            self._serve(runtime)
        finally:
            line.stop(goodbye=self._state("offline", opening.inc))
            journal.close()

    def _about(self) -> Signs:
        """How devices and machine are, from what was seen last."""
        kinds = {one.name: one.kind for one in self.config.readers}
        kinds |= {"display": ""} if self.config.display else {}
        kinds |= {"voice": ""} if self.config.voice else {}
        devices = {
            name: Device(self._ill.get(name, "ready"), is_camera=kind in CAMERAS, is_reader=bool(kind))
            for name, kind in kinds.items()
        }
        refusal = getattr(self.updates.state, "refusal", None) if self.updates else None
        if refusal is not None and refusal.why in PASSING:
            refusal = None  # nobody could be asked yet: that is no refusal
        return Signs(
            printer=self.prints.state if self.prints else None,
            devices=devices,
            vitals=self.vitals.seen or Vitals(),
            data_mb_month=self.config.data_mb_month,
            certificate_left_ms=self._certificate_left_ms(),
            updates=self.updates.told() if self.updates else None,
            update_refused=None if self.updates is None else (refusal.why if refusal else ""),
        )

    def _certificate_left_ms(self) -> int | None:
        runtime, ends_ms = self._runtime, self.vitals.certificate_ends_ms
        if runtime is None or runtime.belief.anchor is None or ends_ms is None:
            return None
        return ends_ms - runtime.belief.at(BootClock().boot_ms()).lo_ms

    def _setup(self) -> shop.Setup:
        """What the till decides by."""
        return replace(self.config.setup(), caps=self._terms.caps)

    def _stand_still(self, reason: Reason) -> None:
        """Nothing can be recorded: say so on the screen, let go what was pressed meanwhile, and wait a while."""
        stopped = shop.Stopped(reason, shop.Basket())
        if self.view is None or self.view.till.phase != stopped:
            self.show(shop.Show(Refused(reason)))
            self._draw(shop.Till(self._setup(), Past(), stopped))
        # Still alive: another start would find the same card, and the screen says what is wrong.
        self._alive(f"{self.config.device} does not sell: {reason}")
        self._ended.wait(REOPEN_S)
        with suppress(queue.Empty):
            while True:
                self._inbox.get_nowait()

    def _serve(self, runtime: Runtime) -> None:
        while not self._ended.is_set() and not runtime.broken:
            try:
                while self._line_news:
                    runtime.hear(self._line_news.popleft())
                with suppress(queue.Empty):
                    self._inbox.get(timeout=TICK_S)(runtime)
                runtime.tick()
                self._draw(runtime.till, runtime)
                self._alive(self._status())
                if self._changes(runtime.till):
                    return
            except JournalBroken as broken:
                log.warning("journal.unreadable", why=str(broken), hint="it is opened and verified again")
                return

    def _changes(self, till: shop.Till) -> bool:
        """Take the other configuration, if there is one and nobody stands at the till. A box that was put out does not wait
        for a basket that nobody will pay; it waits for an open payment, whose answer may come yet."""
        if self._change is None:
            return False
        config, terms = self._change
        calm = (shop.Idle, shop.Stopped, shop.Ringing) if terms.put_out else (shop.Idle, shop.Stopped)
        if not isinstance(till.phase, calm):
            return False
        self.config, self._terms, self._change = config, terms, None
        self.on_changed()
        log.info("box.changed", put_out=terms.put_out, provisional=terms.caps is not None)
        return True

    def _draw(self, till: shop.Till, runtime: Runtime | None = None) -> None:
        self.records = runtime.journal.position if runtime else self.records
        age_ms = runtime.money_age_ms() if runtime else None
        view = View(
            till=till,
            shown=tuple(self._shown),
            pending=runtime.journal.position - runtime.journal.settled_through if runtime else 0,
            printer=self.prints.state if self.prints else None,
            perhaps=self.prints.perhaps if self.prints else (),
            starting=runtime is None,
            core_silent=runtime is not None and runtime.delivery.silent_rounds > 0,
            clock_known=runtime is not None and runtime.belief.anchor is not None,
            promise=runtime.promise() if runtime else None,
            money_waits_min=None if age_ms is None else age_ms // 60_000,
            alerts=runtime.open_alerts() if runtime else (),
            watched_until=self.watched_until,
            visitor=self.shells.visitor if self.shells else None,
        )
        self._front.show(face_of(till, self._shown[-1].show if self._shown else None))
        if view != self.view:
            with self.changed:
                self.view = view
                self.changed.notify_all()

    def _status(self) -> str:
        assert self.view is not None
        line = "online" if self.view.till.line_up else "offline"
        return (
            f"{self.config.device} is {line}; {self.view.pending} of {self.records} records wait for the core"
        )

    def _line(self, inc: str) -> Line:
        if self._terms.late_line is not None:
            return self._terms.late_line()
        broker, device = self.config.broker, self.config.device
        least_s, most_s = own_waits(os.urandom(2))
        return MqttLine(
            Endpoint(
                host=broker.host,
                port=broker.port,
                client_id=device,
                authority=broker.authority,
                certificate=broker.certificate,
                key=broker.key,
                subscriptions=self._subscriptions(),
                will=self._state("lost", inc),
                birth=lambda: self._state("online", inc),
                # Each box waits its own time, so that a thousand do not come back in one second. Not longer
                # than a minute: until then a customer with a payment code is sent away.
                reconnect_min_s=least_s,
                reconnect_max_s=most_s,
            )
        )

    def _subscriptions(self) -> tuple[tuple[str, int], ...]:
        device = self.config.device
        heard: tuple[tuple[str, int], ...] = (
            (topics.ack_down(device), 1),
            (topics.answer_down(device), 1),
            (topics.desired_down(device), 1),
        )
        if self.on_command is not None:
            heard = (*heard, (topics.command_down(device), 1))
        if self.shells is not None and self.config.shell != "never":
            # Not where nobody gets in: a broker of an older release, that lets nobody listen there, would part with us.
            heard = (*heard, (topics.shell_down(device), 0))
        return heard

    def _state(self, state: str, inc: str) -> Will:
        twin = self.twin if state == "online" else TwinStands()
        said = State.model_validate({"s": state, "inc": inc, "software": SOFTWARE, **asdict(twin)})
        return Will(topics.state_up(self.config.device), said.model_dump_json(exclude_none=True).encode())

    def tell_twin(self, twin: TwinStands) -> None:
        """Say which settings are in use, now and with every birth."""
        self.twin = twin

        def say(runtime: Runtime) -> None:
            said = self._state("online", runtime.journal.incarnation)
            runtime.parts.line.publish(said.topic, said.payload, retain=True)

        self._put(say)

    # the devices' threads

    def _tap_room(self) -> TapRoom | None:
        if self.config.tap is None:
            return None
        goods = self.config.setup().goods
        try:
            room = TapRoom(
                self.config.tap,
                goods=goods,
                record=self._record_paper,
                claim_url=self.config.claim_url,
                printer=self._profile,
                clock_ms=monotonic_ms,
            )
        except (OSError, SettingsWrong) as why:
            # The box sells without it; the other till finds nobody, which its cashier sees at once.
            self.troubles["tap"] = str(why)
            log.warning("tap.not_started", why=str(why))
            return None
        room.start()
        return room

    def _update_room(self) -> UpdateRoom | None:
        if self.config.updates is None:
            return None
        return UpdateRoom(
            self.config.updates,
            on_till=self.work,
            leave=self.stop,
            clock_right=self._clock_right,
            papers_unanswered=lambda: len(self.prints.perhaps) if self.prints else 0,
            clock_ms=monotonic_ms,
        )

    def _clock_right(self) -> bool:
        """Whether the machine's own clock, by which expiry is judged, is near what the core says."""
        runtime = self._runtime
        if runtime is None or runtime.belief.anchor is None:
            return False
        return abs(wall_ms() - runtime.belief.at(BootClock().boot_ms()).lo_ms) < CLOCK_OFF_MS

    def _record_paper(self, paper: Tapped, then: Callable[[str], None]) -> None:
        def record(runtime: Runtime) -> None:
            paper_id = uuid7(runtime.belief.at(BootClock().boot_ms()).lo_ms, os.urandom(CHANCE_BYTES))
            before = runtime.journal.position
            runtime.happen(shop.PaperTapped(paper_id, paper))
            if runtime.journal.position > before:
                then(paper_id)

        self._put(record)

    def _print_room(self) -> PrintRoom | None:
        told = self.config.printer
        if told is None:
            return None
        device = told.make()
        return PrintRoom(
            self.config.state / "prints.db",
            device,
            drawer=PrinterDrawer(device, self._profile),
            clock_ms=BootClock().boot_ms,
            tell=self._printer_says,
            drawer_shut=lambda: self.show(shop.Show(Refused(Reason.DRAWER_SHUT))),
        )

    def _customer_front(self) -> Front:
        told, voice = self.config.display, self.config.voice
        return Front(
            told.make() if told else None,
            voice.make() if voice else None,
            language=self.config.language,
            clock_ms=monotonic_ms,
            trouble=self._trouble,
        )

    def _printer_says(self, state: PrinterState, hint: str) -> None:
        kind = TroubleKind.LOST if state is PrinterState.LOST else TroubleKind.SILENT
        self._trouble(
            DeviceBack("printer") if state.prints else DeviceTrouble("printer", kind, hint or state)
        )
        self.show(shop.Show(Word.PRINTER_BACK if state.prints else Refused(Reason.PRINTER_TROUBLE)))

    def _start_readers(self) -> None:
        for one in self.config.readers:
            device = one.make()
            device.start(self._read, self._trouble)
            self._readers.append(device)

    def _hear(self, happening: Happening) -> None:
        if isinstance(happening, (Up, Down)):
            # Never lost to a full inbox: a box that has missed it would be offline until the next cut.
            self._line_news.append(happening)
            self.on_line(isinstance(happening, Up))
            with suppress(queue.Full):
                self._inbox.put_nowait(lambda _: None)
        elif self.shells and isinstance(happening, Message) and happening.topic == self._shell_topic:
            self.shells.hear(happening.payload)  # what somebody types is no work of the till's
        else:
            self._put(lambda runtime: runtime.hear(happening), wait_s=1.0)

    def _read(self, reads: tuple[CodeRead, ...]) -> None:
        reads = tuple(read for read in reads if not self._is_of_another_box(read))
        if not reads:
            return
        codes = tuple(classify(read, ScannerMode.TILL) for read in reads)
        if not self._put(lambda runtime: runtime.happen(shop.CodesShown(codes))):
            self.show(shop.Show(Refused(Reason.QUEUE_FULL)))

    def _is_of_another_box(self, read: CodeRead) -> bool:
        """Whether a code is a dead box's: a paper of it, or a part of what its screen shows. This one carries it to the core,
        which judges it; its own papers are none of its business here."""
        text = read.raw.decode("utf-8", "replace").strip()
        slip = slip_in(text)
        if slip is not None and slip.code.device != self.config.device:
            self._put(lambda runtime: runtime.ask("slip", SlipAsk(code=text)))
            return True
        part = self._collector.add(text)
        if part is None:
            return text.startswith(FRAME)
        self.show(shop.Show(Word.RESCUE_READ, (str(part.have), str(part.total))))
        if part.message is not None:
            message, topic = part.message, topics.late_up(self.config.device)
            self._put(lambda runtime: self._carry(runtime, topic, message))
        return True

    def _carry(self, runtime: Runtime, topic: str, message: bytes) -> None:
        sent = runtime.parts.line.publish(topic, message)
        self.show(shop.Show(Word.RESCUE_SENT if sent else Refused(Reason.RESCUE_NEEDS_LINE)))

    def _trouble(self, what: DeviceTrouble | DeviceBack) -> None:
        self.on_trouble(what)
        if isinstance(what, DeviceBack):
            self.troubles.pop(what.device, None)
            self._ill.pop(what.device, None)
            log.info("device.back", device=what.device)
        else:
            if what.kind in (TroubleKind.LOST, TroubleKind.SILENT, TroubleKind.BLIND):
                self.troubles[what.device] = what.hint
                self._ill[what.device] = what.kind
            log.warning("device.trouble", device=what.device, kind=what.kind, hint=what.hint)

    def _put(self, work: Callable[[Runtime], None], wait_s: float = 0.2) -> bool:
        try:
            self._inbox.put(work, timeout=wait_s)
        except queue.Full:
            log.warning("inbox.full", hint="the till is stuck or somebody floods it")
            return False
        return True


def _counted(journal: Journal, tally: Tally) -> Iterator[bytes]:
    """The records of a journal, added up on the way: a boot reads it once."""
    through = journal.settled_through
    for entry in journal.entries():
        tally.add(entry, settled_through=through)
        yield entry.bytes
