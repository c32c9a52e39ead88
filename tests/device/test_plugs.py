"""A cable that is put in is heard on the kernel's own line, without udev."""

from __future__ import annotations

import time

import pytest
from tests.conformance.test_code_readers import keys_device_bench, serial_device_bench
from tests.device.gadgets import Gadget, KeyboardGadget, PrinterGadget, SerialGadget
from tests.patience import eventually

from tillbox.hardware.drivers import worker
from tillbox.hardware.drivers.plugs import Plugs

NEVER_MS = 600_000  # a pause that no test waits for

pytestmark = pytest.mark.device


@pytest.mark.parametrize("kind", [KeyboardGadget, SerialGadget, PrinterGadget])
def test_a_device_that_is_plugged_in_ends_the_wait(kind: type[Gadget]) -> None:
    gadget, plugs = kind(), Plugs()
    gadget.unplug()
    plugs.listen()
    gadget.plug()
    assert plugs.wait(60.0, lambda: False)
    plugs.close()
    gadget.close()


@pytest.mark.parametrize("kind", [keys_device_bench, serial_device_bench], ids=["keys", "serial"])
def test_a_scanner_that_comes_back_is_read_at_once_and_not_after_a_pause(kind, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(worker, "REOPEN_FIRST_MS", NEVER_MS)
    monkeypatch.setattr(worker, "REOPEN_MOST_MS", NEVER_MS)
    counter = kind(tmp_path)
    counter.start()
    counter.unplug()
    assert eventually(lambda: counter.told() == ["lost"])
    time.sleep(0.5)  # let it begin its pause
    counter.plug()
    assert eventually(lambda: counter.told() == ["lost", "back"])
    counter.reader.stop()
    counter.put_away()
