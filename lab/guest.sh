#!/bin/bash
# Inside the guest, on the host's files: load what makes devices, run the tests, hand over the report, and end.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
export TILLBOX_LAB=1 PYTHONDONTWRITEBYTECODE=1

echo "up $(cut -d" " -f1 /proc/uptime) s: kernel $(uname -r), project $lab_project"

mount -t tmpfs run /run
mkdir /run/tmp
export TMPDIR=/run/tmp
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
ip link set lo up

load() { modprobe -d "$lab_modules" "$@" || echo "NO MODULE $1"; }
load evdev; load uinput
load libcomposite; load dummy_hcd
load usb_f_hid; load usb_f_acm; load usb_f_printer
load usbhid; load hid_generic; load cdc_acm; load usblp
# One camera whose picture comes from an output beside it, as over an HDMI cable.
load vivid n_devs=1 node_types=0x101 num_inputs=1 input_types=3 num_outputs=1 output_types=1
mount -t configfs config /sys/kernel/config

echo "up $(cut -d" " -f1 /proc/uptime) s: devices"
cd "$lab_project"
export PYTHONPATH="src${lab_path:+:$lab_path}"
# The project's other fixtures (a database, a broker) are not for here, and each import costs seconds.
export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1
# shellcheck disable=SC2086 # the choice is words
"$lab_python" -m pytest -p pytest_timeout -p no:cacheprovider --noconftest -m device -v --color=no --tb=short \
    --junit-xml=/run/report.xml ${lab_choice:-tests/device tests/conformance/test_code_readers.py tests/conformance/test_printers.py} </dev/null 2>&1
stty -F /dev/ttyS1 raw
cat /run/report.xml >/dev/ttyS1
echo "LAB IS DONE"
echo o >/proc/sysrq-trigger
read -rt 30 </dev/ttyS1
