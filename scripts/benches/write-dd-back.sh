#!/bin/sh
# What a careful user of dd does next. IMAGE DEVICE
set -eu
blockdev --flushbufs "$2"
exec cmp -n "$(stat -c %s "$1")" "$1" "$2"
