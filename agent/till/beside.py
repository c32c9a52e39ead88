"""What happens beside the till's own sales and is recorded all the same: a drawer opened, another till's paper."""

from __future__ import annotations

from tillbox.agent.words import Word
from tillbox.contracts.messages import DrawerOpened

from .effects import Kick, Show, Step
from .events import DrawerPressed, PaperTapped
from .state import Moment, Till
from .steps import record


def open_drawer(till: Till, event: DrawerPressed, moment: Moment) -> Step:
    """Record who wanted it and why, then open it: never the other way round."""
    till, effects = record(
        till, moment, (moment.fresh[0], "drawer_opened", DrawerOpened(reason=event.reason))
    )
    return till, (*effects, Kick(event.reason), Show(Word.DRAWER_OPENED, (event.reason,)))


def tapped(till: Till, event: PaperTapped, moment: Moment) -> Step:
    """Keep another till's paper. It changes nothing here: its money is not this box's."""
    return record(till, moment, (event.id, "tapped", event.paper))
