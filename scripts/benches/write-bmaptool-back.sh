#!/bin/sh
# What a careful user of bmaptool does next: reads every mapped range back and compares its SHA-256. BMAP DEVICE
set -eu
blockdev --flushbufs "$2"
sed -n 's|.*<Range chksum="\([0-9a-f]*\)"> *\([0-9]*\)\(-\([0-9]*\)\)\{0,1\} *</Range>.*|\1 \2 \4|p' "$1" |
    while read -r expected first last; do
        skip=$((first * 4096))
        count=$(((${last:-$first} - first + 1) * 4096))
        found=$(dd if="$2" bs=1M iflag=skip_bytes,count_bytes skip="$skip" count="$count" status=none | sha256sum)
        if [ "${found%% *}" != "$expected" ]; then
            echo "bytes from $skip on are not what was written" >&2
            exit 1
        fi
    done
