#!/bin/sh
# Runs a program where the fan and the sensor of a made-up board are those of the machine, and /run is empty:
# fand-place.sh BOARD PROGRAM… What the C library asks about processors stays real. The program keeps this process's id.
set -eu
# shellcheck disable=SC2016
exec unshare --mount --propagation=private sh -euc '
	board=$1
	shift
	mkdir -p "$board/sys/devices/system"
	mount --bind /sys/devices/system "$board/sys/devices/system"
	mount --rbind "$board/sys" /sys
	mount -t tmpfs tmpfs /run
	exec "$@"
' sh "$@"
