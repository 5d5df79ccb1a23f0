#!/bin/sh
# Grows the root partition and its file system to the end of the card, once. Every step can be repeated:
# a power cut in the middle costs nothing but another try.
set -eu

root=$(readlink -f "$(findmnt --noheadings --first-only --output SOURCE /)")
name=${root##*/}
number=$(cat "/sys/class/block/$name/partition")
disk=$(basename "$(readlink -f "/sys/class/block/$name/..")")

before=$(cat "/sys/class/block/$name/size")
# sfdisk keeps the disk's signature, and with it every PARTUUID
echo ', +' | sfdisk --quiet --no-reread --no-tell-kernel --force --partno "$number" "/dev/$disk"
partx --update --nr "$number" "/dev/$disk"
resize2fs "$root"
after=$(cat "/sys/class/block/$name/size")

mkdir -p /var/lib/berry
: >/var/lib/berry/grown
echo "root file system grew from $((before / 2048)) MiB to $((after / 2048)) MiB"
