#!/bin/sh
# What the broker's container runs: the boxes' mosquitto, the one at the door for claims, and between them whoever carries
# each new revocation list of the core to the first: no container can send another's process a signal. Where one of the
# two ends, the other is ended too, and the container is started anew.
set -eu
given=/revocations/ca.crl
home=/var/lib/tillbox-broker

# Whether there was another list, which is now the broker's.
carried() {
    [ -s "$given" ] && ! cmp -s "$given" "$home/ca.crl" || return 1
    cp "$given" "$home/ca.crl.new"
    mv "$home/ca.crl.new" "$home/ca.crl"
}

carried || true
/usr/sbin/mosquitto -c /etc/tillbox/mosquitto.conf &
boxes=$!
/usr/sbin/mosquitto -c "$home/claims.conf" &
claims=$!
trap 'kill "$boxes" "$claims" || true; wait; exit 0' TERM INT
while kill -0 "$boxes" && kill -0 "$claims"; do
    if carried; then kill -HUP "$boxes"; fi
    # In the background, so that a signal is heard at once.
    sleep 0.2 &
    wait $!
done
kill "$boxes" "$claims" || true
wait
exit 1
