"""What the customer sees and hears: the small display and the voice. It follows the till and decides nothing.

The display shows the newest face only: a line of a basket that nobody has seen is nobody's loss. The voice speaks of
money that is certain: a payment that the core confirmed, cash that the cashier took.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from tillbox.contracts.money import Amount
from tillbox.contracts.verdicts import Refused
from tillbox.hardware.ports import (
    CustomerDisplay,
    DeviceBack,
    DeviceLost,
    DeviceTrouble,
    Face,
    FaceKind,
    Language,
    Saying,
    Speaker,
    Tell,
    TroubleKind,
    Utterance,
)

from . import till as shop
from .words import Word

TURN_S = 0.5


def face_of(till: shop.Till, last: shop.Show | None) -> Face:
    """What stands on the display: the basket while there is one, else how the last sale ended."""
    basket = shop.basket_of(till)
    if basket.lines:
        owed = basket.due()
        amount = owed if isinstance(owed, Amount) else basket.total
        return Face(FaceKind.TOTAL, amount, basket.lines[-1].name)
    amounts = _amounts(last)
    if last is not None and last.what is Word.CHANGE:
        return Face(FaceKind.CHANGE, amounts[1])
    if last is not None and last.what is Word.PAID:
        return Face(FaceKind.PAID, amounts[0])
    return Face(FaceKind.IDLE)


def utterances(show: shop.Show, language: Language, now_ms: int) -> tuple[Utterance, ...]:
    """What is said aloud about a message of the till; mostly nothing."""
    said = zip(_SAYINGS.get(show.what, ()), _amounts(show), strict=False)
    return tuple(Utterance(saying, amount, language, now_ms) for saying, amount in said if amount)


_SAYINGS: dict[Word | Refused, tuple[Saying, ...]] = {
    Word.PAID: (Saying.PAID,),
    Word.CHANGE: (Saying.RECEIVED, Saying.CHANGE),
    Word.REFUNDED: (Saying.REFUNDED,),
    Word.VOIDED: (Saying.REFUNDED,),
}


def _amounts(show: shop.Show | None) -> tuple[Amount, ...]:
    return tuple(value for value in show.values if isinstance(value, Amount)) if show else ()


class Front:
    """Shows faces on a thread of its own: a display whose line is stuck holds nobody up."""

    def __init__(
        self,
        display: CustomerDisplay | None,
        speaker: Speaker | None,
        *,
        language: Language,
        clock_ms: Callable[[], int],
        trouble: Tell,
    ) -> None:
        self._display, self._speaker = display, speaker
        self._language, self._clock_ms, self._trouble = language, clock_ms, trouble
        self._wanted: Face | None = None
        self._shown: Face | None = None
        self._lent = False
        self._lost = False
        self._awake = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="display", daemon=True)

    def start(self) -> None:
        """Begin to show and to speak."""
        if self._display:
            self._thread.start()
        if self._speaker:
            self._speaker.start(self._trouble)

    def stop(self) -> None:
        """End promptly, and say nothing more."""
        self._ended.set()
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join(2.0)
        if self._speaker:
            self._speaker.stop()

    def show(self, face: Face) -> None:
        """Show this face soon, or a newer one."""
        if self._lent and face.kind is FaceKind.IDLE:
            return
        if face != self._wanted:
            self._lent = False
            self._wanted = face
            self._awake.set()

    def lend(self, face: Face) -> None:
        """Show another program's face, while the till has none of its own."""
        if self._wanted is None or self._wanted.kind is FaceKind.IDLE or self._lent:
            self._lent = True
            self._wanted = face
            self._awake.set()

    def say(self, show: shop.Show) -> None:
        """Say aloud what is to be said of a message."""
        if self._speaker:
            for one in utterances(show, self._language, self._clock_ms()):
                self._speaker.say(one)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._awake.wait(TURN_S)
            self._awake.clear()
            face = self._wanted
            if face is None or face == self._shown or self._display is None:
                continue
            try:
                self._display.show(face)
            except DeviceLost as lost:
                self._tell(lost=lost)
            else:
                self._shown = face
                self._tell(lost=None)

    def _tell(self, lost: DeviceLost | None) -> None:
        """Once when it goes, once when it is back."""
        if lost and not self._lost:
            self._trouble(DeviceTrouble("display", TroubleKind.LOST, lost.hint))
        elif not lost and self._lost:
            self._trouble(DeviceBack("display"))
        self._lost = lost is not None
