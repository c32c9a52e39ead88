"""The simulated line: every fault does what it says, is counted, and comes again with the same seed."""

from __future__ import annotations

from random import Random

import pytest

from tillbox.broker.line import Down, Happening, Message, Unheard, Up, Will
from tillbox.broker.memory import QUEUE_MAX, UNANSWERED_MAX, Fired, MemoryBroker, MemoryLine, matches
from tillbox.proof.agenda import Agenda

RECORDS, ACK, STATE = "tb/1/d/box-1/up/3/tx", "tb/1/d/box-1/dn/ack", "tb/1/d/box-1/st"
LOST, ONLINE = Will(STATE, b"lost"), Will(STATE, b"online")


class Street:
    """A core and a box on one broker, on a clock that is turned by hand."""

    def __init__(self, seed: int = 1) -> None:
        self.agenda = Agenda()
        self.broker = MemoryBroker(Random(seed), self.agenda.after)
        self.weather, self.fired = self.broker.weather, self.broker.fired
        self.heard: dict[str, list[Happening]] = {}
        self.core = self.line("core", "tb/1/d/+/up/#", "tb/1/d/+/st")
        self.box = self.line("box-1", ACK, will=LOST, birth=lambda: ONLINE)
        self.seconds(2)

    def line(self, name: str, *topics: str, **more: object) -> MemoryLine:
        line = self.broker.line(name, *((topic, 1) for topic in topics), **more)
        self.heard[name] = []
        line.start(self.heard[name].append)
        return line

    def seconds(self, count: float) -> None:
        self.agenda.run_until(self.agenda.now_ms + int(count * 1000))

    def payloads(self, name: str) -> list[bytes]:
        return [one.payload for one in self.heard[name] if isinstance(one, Message)]

    def kinds(self, name: str) -> list[type]:
        return [type(one) for one in self.heard[name]]

    def send(self, count: int) -> list[bytes]:
        """So many records from the box, one a millisecond."""
        numbers = [b"%05d" % number for number in range(count)]
        for number in numbers:
            self.box.publish(RECORDS, number)
            self.seconds(0.001)
        return numbers


@pytest.fixture
def street() -> Street:
    street = Street()
    for heard in street.heard.values():
        heard.clear()
    return street


# chance


def test_in_good_weather_everything_arrives_once(street: Street) -> None:
    sent = street.send(500)
    street.seconds(1)
    assert sorted(street.payloads("core")) == sent
    assert (street.fired.lost, street.fired.doubled) == (0, 0)


def test_a_steady_delay_keeps_the_order_and_a_wide_one_does_not(street: Street) -> None:
    street.weather.delay_min_ms = street.weather.delay_max_ms = 10
    sent = street.send(300)
    street.seconds(1)
    assert (street.payloads("core"), street.fired.reordered) == (sent, 0)
    street.weather.delay_max_ms = 200
    street.heard["core"].clear()
    sent = street.send(300)
    street.seconds(1)
    found = street.payloads("core")
    assert sorted(found) == sent
    assert found != sent
    assert street.fired.reordered > 0


def test_what_is_lost_and_doubled_is_what_is_counted(street: Street) -> None:
    street.weather.loss, street.weather.double = 0.2, 0.1
    sent = street.send(2_000)
    street.seconds(1)
    found = street.payloads("core")
    assert set(found) < set(sent)
    assert len(found) == len(sent) + street.fired.doubled - street.fired.lost
    # Two ways, each with a fifth of a chance.
    assert 0.55 < len(set(found)) / len(sent) < 0.75
    assert len(found) > len(set(found))


def test_the_same_seed_tells_the_same_story() -> None:
    def story(seed: int) -> tuple[list[Happening], Fired]:
        street = Street(seed)
        street.weather.loss, street.weather.double, street.weather.delay_max_ms = 0.1, 0.1, 500
        street.send(200)
        street.broker.cut("box-1")
        street.send(50)
        street.seconds(20)
        street.broker.mend("box-1")
        street.broker.amnesia()
        street.seconds(60)
        return street.heard["core"], street.fired

    assert story(7) == story(7)
    assert story(7) != story(8)


# cut wires


def test_for_a_while_both_ends_believe_in_a_wire_that_is_cut(street: Street) -> None:
    street.broker.cut("box-1")
    assert street.box.publish(RECORDS, b"into the void")
    street.core.publish(ACK, b"into the void, too")
    street.seconds(46)
    assert street.kinds("box-1") == [Down]
    assert not street.box.publish(RECORDS, b"it noticed")
    street.seconds(9)
    assert street.payloads("core") == [b"lost"]
    assert (street.fired.cut, street.fired.lost) == (1, 2)


def test_a_wire_is_not_cut_twice(street: Street) -> None:
    street.broker.cut("box-1")
    street.broker.cut("box-1")
    assert street.fired.cut == 1


def test_a_cut_that_is_over_before_anybody_noticed_never_happened(street: Street) -> None:
    street.broker.cut("box-1")
    street.broker.mend("box-1")
    street.seconds(60)
    assert street.heard["box-1"] == []
    assert street.box.publish(RECORDS, b"still here")
    street.seconds(1)
    assert street.payloads("core") == [b"still here"]


def test_a_box_whose_broker_gave_it_up_learns_it_when_the_wire_is_whole() -> None:
    for seed in range(30):
        street = Street(seed)
        street.heard["box-1"].clear()
        street.broker.cut("box-1")
        # Turn the clock until the broker has noticed and the box has not: half of the seeds have that moment.
        while not street.heard["box-1"] and b"lost" not in street.payloads("core"):
            street.seconds(1)
        if street.heard["box-1"]:
            continue
        street.broker.mend("box-1")
        street.seconds(3)
        assert street.kinds("box-1") == [Down, Up]
        assert street.payloads("core")[-2:] == [b"lost", b"online"]
        return
    pytest.fail("no seed had the broker notice first")


def test_a_cut_wire_does_not_take_publishes_without_end(street: Street) -> None:
    street.broker.cut("box-1")
    taken = [street.box.publish(RECORDS, b"x") for _ in range(UNANSWERED_MAX + 10)]
    assert taken == [True] * UNANSWERED_MAX + [False] * 10
    street.broker.mend("box-1")
    assert street.box.publish(RECORDS, b"x")


def test_other_wires_are_not_cut(street: Street) -> None:
    other = street.line("box-2", "tb/1/d/box-2/dn/ack")
    street.seconds(2)
    street.broker.cut("box-1")
    assert other.publish("tb/1/d/box-2/up/1/tx", b"mine")
    street.core.publish("tb/1/d/box-2/dn/ack", b"yours")
    street.seconds(1)
    assert street.payloads("core") == [b"mine"]
    assert street.payloads("box-2") == [b"yours"]


def test_a_box_that_starts_on_a_cut_wire_says_so_once_and_comes_up_when_it_is_mended(street: Street) -> None:
    street.broker.cut("box-2")
    street.line("box-2")
    street.seconds(100)
    assert street.kinds("box-2") == [Down]
    street.broker.mend("box-2")
    street.seconds(2)
    assert street.kinds("box-2") == [Down, Up]


# amnesia


def test_after_amnesia_everybody_comes_back_and_what_was_retained_is_gone(street: Street) -> None:
    street.box.publish(RECORDS, b"under way")
    street.broker.amnesia()
    street.seconds(3)
    assert street.payloads("core") == [b"online"]  # the new birth, and not the record
    assert street.kinds("box-1")[:2] == [Down, Up]
    assert (street.fired.amnesias, street.fired.lost) == (1, 1)
    assert b"lost" not in street.payloads("core")  # wills are forgotten, too


@pytest.mark.parametrize("keeps", [True, False])
def test_a_broker_with_a_disk_keeps_what_was_retained(street: Street, keeps: bool) -> None:
    street.core.publish("tb/1/d/box-9/st", b"online", retain=True)
    street.seconds(1)
    street.broker.amnesia(keeps_retained=keeps)
    street.line("later", "tb/1/d/box-9/#")
    street.seconds(3)
    assert street.payloads("later") == ([b"online"] if keeps else [])


# wills, names, processes


def test_a_killed_process_is_said_to_be_lost_at_once_and_its_successor_to_be_there(street: Street) -> None:
    street.box.die()
    assert not street.box.publish(RECORDS, b"from beyond")
    street.seconds(1)
    assert street.payloads("core") == [b"lost"]
    street.line("box-1", ACK, will=LOST, birth=lambda: ONLINE)
    street.seconds(60)
    assert street.payloads("core") == [b"lost", b"online"]
    assert street.kinds("box-1") == [Up]


def test_a_killed_process_without_a_successor_is_said_to_be_lost(street: Street) -> None:
    street.box.die()
    street.seconds(9)
    assert street.payloads("core") == [b"lost"]


def test_a_broker_that_ended_before_it_noticed_a_loss_says_no_will(street: Street) -> None:
    street.box.die()
    street.broker.amnesia()
    street.seconds(60)
    assert street.payloads("core") == []


def test_a_goodbye_over_a_cut_wire_is_not_heard(street: Street) -> None:
    street.broker.cut("box-1")
    street.box.stop(goodbye=Will(STATE, b"offline"))
    street.seconds(60)
    assert street.payloads("core") == [b"lost"]


def test_two_under_one_name_push_each_other_out(street: Street) -> None:
    first, second = street.heard["box-1"], []
    street.broker.line("box-1", (ACK, 1)).start(second.append)
    street.seconds(5)
    assert Down("another took our name") in first
    assert Down("another took our name") in second


def test_what_spares_the_line_is_not_taken_while_something_is_unanswered(street: Street) -> None:
    assert street.box.publish("tb/1/d/box-1/lv", b"x", qos=0, spare=True)
    street.broker.cut("box-1")
    assert street.box.publish(RECORDS, b"x")
    assert not street.box.publish("tb/1/d/box-1/lv", b"x", qos=0, spare=True)


def test_a_line_that_never_ran_can_be_stopped(street: Street) -> None:
    street.broker.line("box-3").stop(goodbye=Will("tb/1/d/box-3/st", b"offline"))
    street.seconds(1)
    assert street.payloads("core") == []


def test_an_empty_retained_message_clears_what_was_retained(street: Street) -> None:
    street.box.publish(STATE, b"", retain=True)
    street.seconds(1)
    street.line("later", "tb/1/d/+/st")
    street.seconds(2)
    assert street.payloads("core") == [b""]
    assert street.payloads("later") == []


# listeners


def test_nobody_listens_is_told_unless_the_broker_is_one_that_does_not_tell(street: Street) -> None:
    street.core.stop()
    street.box.publish(RECORDS, b"x")
    street.box.publish("tb/1/d/box-1/tm", b"x", qos=0)
    street.seconds(1)
    assert street.heard["box-1"] == [Unheard(RECORDS, 0x10)]
    street.weather.tells_unheard = False
    street.box.publish(RECORDS, b"x")
    street.seconds(1)
    assert len(street.heard["box-1"]) == 1


def test_a_listener_that_left_is_forgotten_and_one_that_came_is_found(street: Street) -> None:
    """Who listens to a topic is remembered, so it must be forgotten in time."""
    street.core.publish(ACK, b"one")
    street.seconds(1)
    street.box.stop()
    street.core.publish(ACK, b"two")
    street.seconds(1)
    assert street.heard["core"][-1] == Unheard(ACK, 0x10)
    street.line("spy", "tb/1/d/#")
    street.seconds(2)
    street.core.publish(ACK, b"three")
    street.seconds(1)
    assert street.payloads("spy")[-1] == b"three"


def test_overlapping_subscriptions_bring_a_message_twice(street: Street) -> None:
    street.line("spy", "tb/1/d/+/dn/ack", ACK)
    street.seconds(2)
    street.core.publish(ACK, b"x")
    street.seconds(1)
    assert street.payloads("spy") == [b"x", b"x"]
    assert street.fired.doubled == 0


def test_what_waits_for_acknowledgements_is_bounded(street: Street) -> None:
    street.core.stop()
    slow = street.line("slow", RECORDS, manual_ack=True)
    street.seconds(2)
    for number in range(QUEUE_MAX + 120):
        assert street.box.publish(RECORDS, b"x")
        if number % 50 == 0:
            street.seconds(0.05)
    street.seconds(1)
    assert street.fired.lost == 100
    while (messages := [one for one in street.heard["slow"] if isinstance(one, Message)]) != []:
        street.heard["slow"].clear()
        for message in messages:
            slow.acknowledge(message.token)
            slow.acknowledge(message.token)  # twice is no more than once
        street.seconds(0.002)
        assert len(street.heard["slow"]) <= 20


@pytest.mark.parametrize(
    ("pattern", "topic", "found"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/b", "a", False),
        ("a/+/c", "a/b/c", True),
        ("a/+/c", "a//c", True),
        ("a/+", "a", False),
        ("a/+", "a/b/c", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "ab", False),
        ("#", "a/b", True),
        ("#", "$SYS/uptime", False),
        ("+/uptime", "$SYS/uptime", False),
        ("$SYS/#", "$SYS/uptime", True),
        ("+/+", "/a", True),
        ("+", "/a", False),
        ("a/b/#", "a/bc", False),
    ],
)
def test_filters_match_as_mqtt_says(pattern: str, topic: str, found: bool) -> None:
    assert matches(pattern, topic) is found
