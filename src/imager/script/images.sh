# tree_size <LINES: blocks of 4 KiB and inodes, of lines DEVICE:INODE TYPE BYTES SECTORS; hard links count once, holes little.
tree_size() {
    awk '
        function up(value, step) { return int((value + step - 1) / step) }
        function larger(a, b) { return a > b ? a : b }
        seen[$1]++ { next }
        { inodes++ }
        $2 == "f" {
            whole = up($3, 4096)
            allocated = up($4 * 512, 4096)
            if ($3 > 1048576 && allocated > 0 && allocated < whole / 2) blocks += larger(allocated, up(whole, 64))
            else blocks += whole
        }
        $2 == "d" { blocks++ }
        $2 == "l" && $3 >= 60 { blocks++ }
        END { printf "%.0f %.0f\n", blocks, inodes }'
}

# root_geometry BLOCKS INODES MARGIN: bytes and inodes of an ext4 that holds such a tree, with a journal of 32 MiB.
root_geometry() {
    local content=$(($1 * 4096)) inodes=$((($2 * 5 + 3) / 4 + 1024)) least step=4194304
    least=$(((content + $3 + 16383) / 16384))
    if ((inodes < least)); then inodes=$least; fi
    echo "$((((content * 103 + 99) / 100 + $3 + inodes * 320 + 40 * 1048576 + step - 1) / step * step)) $inodes"
}

# with_mtools COMMAND IMAGE OFFSET ARGUMENT…: the image named relative to its folder, as `@@` in its path would mean an offset.
with_mtools() {
    (cd -- "${2%/*}" && MTOOLS_SKIP_CHECK=1 MTOOLSRC=/dev/null "$1" -i "${2##*/}@@$3" "${@:4}")
}

# settle_inodes IMAGE OFFSET EPOCH: when each inode was changed and read, which mke2fs takes from the tree that it reads.
settle_inodes() {
    local device=${1##*/}?offset=$2 said
    # each group fills from its beginning; the first inode that is no reserved one is the 11th
    (cd -- "${1%/*}" && debugfs -R show_super_stats "$device" 2>/dev/null) | awk -v epoch="$3" '
        /^Inodes per group:/ { size = $4 }
        / unused inodes?$/ {
            for (inode = group * size + 1; inode <= (group + 1) * size - $(NF - 2); inode++) {
                if (inode < 11) continue
                print "set_inode_field <" inode "> ctime @" epoch
                print "set_inode_field <" inode "> atime @" epoch
            }
            group++
        }' >"$scratch/settle-script"
    (cd -- "${1%/*}" && debugfs -w -f "$scratch/settle-script" "$device") >/dev/null 2>"$scratch/said"
    said=$(grep --invert-match --extended-regexp '^(debugfs [0-9].*)?$' "$scratch/said" || true)
    if [[ -n $said ]]; then
        printf 'error: cannot settle the image: %s\n' "$said" >&2
        return 1
    fi
}

# pack_image ROOT BOOT-MOUNT IMAGE BOOT-BYTES MARGIN [EPOCH UUID]: MBR, FAT boot partition, ext4 root partition; nothing is mounted for it.
pack_image() {
    local image=$3 tree=$scratch/pack-tree boot=$scratch/pack-boot step=4194304 files uuid=()
    local size boot_bytes root_start root_bytes inodes
    mkdir -p -- "$tree" "$boot" "$scratch/pack-empty"
    if [[ -n ${7-} ]]; then touch --date="@$6" "$scratch/pack-empty"; fi
    # through a bind mount, which shows neither /proc nor what else is mounted
    mount_on "$tree" --bind "$1"
    mount_on "$boot" --bind "$tree$2"
    mount_on "$tree$2" --bind "$scratch/pack-empty"
    find "$tree" -xdev -printf '%D:%i %y %s %b\n' >"$scratch/files"
    size=$(tree_size <"$scratch/files")
    # shellcheck disable=SC2086 # two numbers
    size=$(root_geometry $size "$5")
    root_bytes=${size% *}
    inodes=${size#* }
    boot_bytes=$((($4 + step - 1) / step * step))
    root_start=$((step + boot_bytes))
    rm -f -- "$image"
    (umask 077 && truncate --size=$((root_start + root_bytes)) "$image")
    sfdisk --quiet --no-reread --no-tell-kernel "$image" <<EOF
label: dos
unit: sectors
start=$((step / 512)), size=$((boot_bytes / 512)), type=c, bootable
start=$((root_start / 512)), size=$((root_bytes / 512)), type=83
EOF
    mkfs.vfat -F 32 -n BOOT -i 00000000 --invariant --offset=$((step / 512)) "$image" $((boot_bytes / 1024))
    shopt -s dotglob nullglob
    files=("$boot"/*)
    shopt -u dotglob nullglob
    if ((${#files[@]} == 0)); then
        echo 'error: the boot partition would be empty: no kernel package put a file there' >&2
        return 1
    fi
    with_mtools mcopy "$image" "$step" -s -m -Q "${files[@]}" ::/
    if [[ -n ${7-} ]]; then uuid=(-U "$7"); fi
    # what it zeroes is written, and no hole: a card must not keep the blocks of an earlier journal
    UNIX_IO_NOZEROOUT=1 MKE2FS_CONFIG=$scratch/mke2fs.conf mke2fs -q -F -t ext4 -b 4096 -L root -m 1 -N "$inodes" -J size=32 "${uuid[@]}" \
        -E "offset=$root_start,lazy_itable_init=1,nodiscard${7:+,hash_seed=$7}" -d "$tree" "$image" $((root_bytes / 4096))
    if [[ -n ${7-} ]]; then settle_inodes "$image" "$root_start" "$6"; fi
}

# exists_below PATH LOWER…: whether the topmost of the trees that knows PATH has it.
exists_below() {
    local tree
    for tree in "${@:2}"; do
        if [[ -e $tree$1 || -L $tree$1 ]]; then
            if is_whiteout "$tree$1"; then return 1; fi
            return 0
        fi
    done
    return 1
}

# is_whiteout FILE: overlayfs' sign that the file below is removed.
is_whiteout() {
    [[ -c $1 && ! -L $1 && $(stat --format=%t:%T -- "$1") == 0:0 ]]
}

# quoted WORD: as debugfs(8) reads it.
quoted() {
    printf '"%s"' "${1//\"/\"\"}"
}

# debugfs_change PATH SOURCE EXISTS: commands for debugfs(8) that put SOURCE at PATH of an ext4.
debugfs_change() {
    local path name mode uid gid seconds target
    path=$(quoted "$1")
    name=$(quoted "${1##*/}")
    if [[ -L $2 ]]; then
        target=$(readlink -- "$2")
        if [[ $3 == yes ]]; then echo "rm $path"; fi
        echo "cd $(quoted "${1%/*}/")"
        echo "symlink $name $(quoted "$target")"
    elif [[ -d $2 ]]; then
        if [[ $3 == no ]]; then echo "mkdir $path"; fi
    elif is_whiteout "$2"; then
        if [[ $3 == yes ]]; then echo "rm $path"; fi
        return
    else
        if [[ $3 == yes ]]; then echo "rm $path"; fi
        echo "cd $(quoted "${1%/*}/")"
        echo "write $(quoted "$2") $name"
    fi
    read -r mode uid gid seconds < <(stat --format='%f %u %g %Y' -- "$2")
    printf 'set_inode_field %s mode 0%o\n' "$path" "$((16#$mode))"
    printf 'set_inode_field %s uid %s\n' "$path" "$uid"
    printf 'set_inode_field %s gid %s\n' "$path" "$gid"
    printf 'set_inode_field %s mtime @%s\n' "$path" "$seconds"
}

# fat_change IMAGE OFFSET PATH SOURCE EXISTS: puts SOURCE at PATH of the FAT there.
fat_change() {
    if [[ -L $4 ]]; then
        echo "error: $3 is a symbolic link, which the FAT boot partition cannot hold" >&2
        return 1
    elif [[ -d $4 ]]; then
        if [[ $5 == no ]]; then with_mtools mmd "$1" "$2" "::$3"; fi
    elif is_whiteout "$4"; then
        if [[ $5 == yes ]]; then with_mtools mdel "$1" "$2" "::$3"; fi
    else
        with_mtools mcopy "$1" "$2" -o -m -Q "$4" "::$3"
    fi
}

# copy_mapped FROM TO: holes stay holes, and zeros that are written stay so; cp(1) makes holes of both, or zeros of both.
copy_mapped() {
    local ranges start end
    if cp --reflink=always -- "$1" "$2" 2>/dev/null; then return; fi
    # blocks of 4 KiB, the flag `unwritten` is a hole's; a file system without a map of extents keeps no hole
    ranges=$(filefrag -s -v -b4096 -- "$1" | sed -n '/unwritten/d;s/^ *[0-9][0-9]*: *\([0-9][0-9]*\)\.\. *\([0-9][0-9]*\):.*/\1 \2/p') || ranges=''
    rm -f -- "$2"
    if [[ -z $ranges ]]; then
        cp --sparse=never -- "$1" "$2"
        return
    fi
    truncate --reference="$1" -- "$2"
    while read -r start end; do
        dd if="$1" of="$2" bs=4M iflag=skip_bytes,count_bytes oflag=seek_bytes conv=notrunc status=none \
            skip=$((start * 4096)) seek=$((start * 4096)) count=$(((end - start + 1) * 4096))
    done <<<"$ranges"
}

# patch_image BASE IMAGE UPPER BOOT-MOUNT BOOT-BYTES DISK-SIGNATURE VOLUME-ID UUID LOWER…: a copy of BASE with all of UPPER in it.
patch_image() {
    local image=$2 upper=$3 boot=$4 step=4194304 root_start id=$7 source path exists said
    root_start=$((step + ($5 + step - 1) / step * step))
    rm -f -- "$image"
    copy_mapped "$1" "$image"
    (umask 077 && : >"$scratch/debugfs-script")
    # parents before children
    while IFS= read -r -d '' source; do
        path=${source#"$upper"}
        exists=no
        if exists_below "$path" "${@:9}"; then exists=yes; fi
        if [[ $path == "$boot"/* ]]; then
            fat_change "$image" "$step" "${path#"$boot"}" "$source" "$exists"
        elif [[ $path != "$boot" ]]; then
            debugfs_change "$path" "$source" "$exists" >>"$scratch/debugfs-script"
        fi
    done < <(find "$upper" -mindepth 1 -print0 | sort --zero-terminated)
    sfdisk --quiet --no-reread --no-tell-kernel --disk-id "$image" "0x$6"
    # a `?` in a path would mean an option to both
    (cd -- "${image%/*}" && tune2fs -U "$8" "${image##*/}?offset=$root_start")
    # the volume id of a FAT32, little-endian, lies at byte 67 of the boot sector and of its copy in sector 6
    for path in 0 6; do
        # shellcheck disable=SC2059 # bytes
        printf "\\x${id:6:2}\\x${id:4:2}\\x${id:2:2}\\x${id:0:2}" |
            dd of="$image" bs=1 seek=$((step + path * 512 + 67)) conv=notrunc status=none
    done
    # debugfs answers 0 whatever happens: anything on stderr but its version is a failure
    (cd -- "${image%/*}" && debugfs -w -f "$scratch/debugfs-script" "${image##*/}?offset=$root_start") >"$scratch/debugfs-said" 2>"$scratch/said"
    said=$(grep --invert-match --extended-regexp '^(debugfs [0-9].*)?$' "$scratch/said" || true)
    if [[ -n $said ]]; then
        printf 'error: cannot write into the image: %s\n' "$said" >&2
        return 1
    fi
}
