#!/bin/sh
# Runs a program where the fan and the sensor of a made-up board are those of the machine: fand-place.sh BOARD PROGRAM…
# Expects mount and PID namespaces of its own. What the C library asks about processors stays real.
set -eu
board=$1
shift
mkdir -p "$board/sys/devices/system"
mount --bind /sys/devices/system "$board/sys/devices/system"
mount --rbind "$board/sys" /sys
mount -t tmpfs tmpfs /run
exec "$@"
