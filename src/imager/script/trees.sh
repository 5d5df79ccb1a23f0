# later COMMAND…: runs it when the layer or image ends; the last one first.
later() {
    undo+=("$(printf '%q ' "$@")")
}

# give_back: undoes what was taken since the last time.
give_back() {
    while ((${#undo[@]} > 0)); do
        eval "${undo[-1]}" 2>/dev/null || true
        unset 'undo[-1]'
    done
}

# on_exit: no half layer and no half image stays; mounts go with the namespaces.
on_exit() {
    local code=$?
    give_back
    if ((code != 0)) && [[ -n $unfinished ]]; then rm -rf --one-file-system -- "$unfinished"; fi
}

# mount_on PLACE ARGUMENT…: mounts, and unmounts when the layer or image ends.
mount_on() {
    mount "${@:2}" "$1"
    later umount --lazy "$1"
}

# mount_tree ROOT UPPER WORK LOWER…: the trees below, topmost first, are writable at ROOT; what changes is kept in UPPER.
mount_tree() {
    local tree lower=''
    mkdir -p -- "$1" "$2" "$3"
    for tree in "${@:4}"; do lower+=${lower:+:}${tree#"$cache"/}; done
    # named relative to the cache: in a path of its own, a comma or a colon would mean something to overlayfs
    (cd -- "$cache" && mount -t overlay -o "lowerdir=$lower,upperdir=${2#"$cache"/},workdir=${3#"$cache"/},userxattr,volatile" overlay "$1")
    later umount --lazy "$1"
}

# record_layer WORK LOWER…: what the layer was made of; without it, berry does not trust the layer.
record_layer() {
    local tree name id below='' parts=''
    for tree in "${@:2}"; do
        if [[ ! -e ${tree%/*}/layer.json ]]; then continue; fi
        name=${tree%/*}
        id=$(sed 's/^{"id":"\([^"]*\)".*/\1/' "${tree%/*}/layer.json")
        below+=${below:+,}\"${name##*/}\":\"$id\"
    done
    for name in "$1"/*; do parts+=${parts:+,}\"${name##*/}\"; done
    (umask 077 && printf '{"id":"%s","below":{%s},"parts":[%s]}\n' "$(cat /proc/sys/kernel/random/uuid)" "$below" "$parts" >"$1/layer.json")
}

# open_root ROOT: what programs of the image expect, and the host's name servers; none of it becomes part of the image.
open_root() {
    local dev=$1/dev name place
    mkdir -p -- "$1/proc" "$dev" "$1/run" "$1/tmp" "$1/sys"
    mount_on "$1/proc" -t proc proc
    mount_on "$1/run" -t tmpfs -o mode=755,nosuid,nodev tmpfs
    mount_on "$1/tmp" -t tmpfs -o mode=1777,nosuid,nodev tmpfs
    mount_on "$dev" -t tmpfs -o mode=755 tmpfs
    for name in null zero full random urandom tty; do
        : >"$dev/$name"
        mount_on "$dev/$name" --bind "/dev/$name"
    done
    mkdir -- "$dev/pts" "$dev/shm"
    mount_on "$dev/pts" -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts
    ln -s pts/ptmx "$dev/ptmx"
    ln -s /proc/self/fd "$dev/fd"
    ln -s /proc/self/fd/0 "$dev/stdin"
    ln -s /proc/self/fd/1 "$dev/stdout"
    ln -s /proc/self/fd/2 "$dev/stderr"
    cat /etc/resolv.conf >"$scratch/resolv.conf" 2>/dev/null || true
    place=$(real_path "$1" /etc/resolv.conf)
    if [[ $place == "$1"/run/* ]]; then
        mkdir -p -- "${place%/*}"
        cp -- "$scratch/resolv.conf" "$place"
        return
    fi
    if [[ ! -e $place ]]; then
        mkdir -p -- "${place%/*}"
        : >"$place"
        later rm -f -- "$place"
    fi
    mount_on "$place" --bind "$scratch/resolv.conf"
}

# in_image [NAME=VALUE…] ROOT PROGRAM…: runs a program of the image.
in_image() {
    local own=()
    while [[ $1 != /* ]]; do
        own+=("$1")
        shift
    done
    env "${image_environment[@]}" "${own[@]}" chroot "$@"
}

# warn_about PATTERN COMMAND…: lines that match are worth a warning although the command succeeds.
warn_about() {
    "${@:2}" 2>&1 | tee "$scratch/said"
    grep --extended-regexp -- "$1" "$scratch/said" | sort --unique | sed 's/^/warning: /' >&2 || true
}

# require_program ROOT PROGRAM HINT: the image must have it.
require_program() {
    local folder place
    for folder in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do
        place=$(real_path "$1" "$folder/$2")
        if [[ -f $place ]]; then return; fi
    done
    printf 'error: the image has no program %s\nhint: %s\n' "$2" "$3" >&2
    return 1
}

# hide_program ROOT PATH: in its place, a program that only notes that it was called.
hide_program() {
    local place stub=$scratch/held-back-${2##*/}
    place=$(real_path "$1" "$2")
    printf '#!/bin/sh\nmkdir -p /run/berry/held-back\n: >/run/berry/held-back/%s\n' "${2##*/}" >"$stub"
    chmod 755 "$stub"
    mount_on "$place" --bind "$stub"
}

# show_program ROOT PATH: ends that.
show_program() {
    umount "$(real_path "$1" "$2")"
}

# machine_of FILE: e_machine of an ELF file's header; fails for anything else.
machine_of() {
    local header
    [[ -f $1 && ! -L $1 ]] || return 1
    header=$(od --address-radix=n --format=x1 --width=20 --read-bytes=20 -- "$1")
    header=${header// /}
    [[ ${#header} == 40 && $header == 7f454c46* ]] || return 1
    printf '%s\n' "${header:36:4}"
}

# native_tools ROOT TOOLS LIBRARIES EXCEPT…: binds programs of the host's architecture over the image's own.
native_tools() {
    local image=$1 tools=$2 libraries=$3 except=" ${*:4} " table="$scratch/native-tools.fstab" places=()
    local folder place native name machine
    for folder in "usr/lib/$libraries" usr/lib64; do
        place=$image/$folder
        if [[ -d $place && -n $(ls -A -- "$place") ]]; then continue; fi
        mkdir -p -- "$place"
        later rmdir -- "$place"
        places+=("$tools/$folder" "$place")
    done
    if [[ ! -e $image/lib64 && ! -L $image/lib64 ]]; then
        ln -s usr/lib64 "$image/lib64"
        later rm -- "$image/lib64"
    fi
    for native in "$tools"/usr/bin/* "$tools"/usr/sbin/*; do
        name=${native##*/}
        place=$image${native#"$tools"}
        if [[ $except == *" $name "* ]]; then continue; fi
        machine=$(machine_of "$place") || continue
        if [[ $(machine_of "$native" || echo "$machine") != "$machine" ]]; then places+=("$native" "$place"); fi
    done
    # fstab(5): blanks and backslashes in octal
    printf '%s\n' "${places[@]}" | sed -e 's/\\/\\134/g' -e 's/ /\\040/g' -e 's/\t/\\011/g' |
        paste --delimiters=' ' - - | sed 's/$/ none bind,ro 0 0/' >"$table"
    for ((name = 1; name < ${#places[@]}; name += 2)); do later umount --lazy "${places[name]}"; done
    mount --all --fstab "$table"
}

# return_tools ROOT LIBRARIES TOOL… -- LIBRARY…: takes native tools back, but for the TOOLs, and libraries that begin like a LIBRARY.
return_tools() {
    local lent=$1/usr/lib/$2 fewer keep=' ' place name
    local image=$1
    shift 2
    while [[ $1 != -- ]]; do
        keep+="$1 "
        shift
    done
    shift
    while read -r _ _ _ _ place _; do
        printf -v place %b "${place//\\/\\0}"
        name=${place##*/}
        case ${place%/*} in
        "$image/usr/bin" | "$image/usr/sbin") if [[ $keep != *" $name "* ]]; then umount --lazy "$place"; fi ;;
        esac
    done </proc/self/mountinfo
    fewer=$(mktemp -d "$scratch/libraries.XXXXXX")
    chmod 755 "$fewer"
    cp --archive -T -- "$lent" "$fewer"
    for name in "$@"; do rm -f -- "$fewer/$name"*; done
    mount_on "$lent" --bind "$fewer"
}

# check_initramfs ROOT FOLDER: a program of another architecture in there would not boot.
check_initramfs() {
    local folder initramfs magic
    folder=$(real_path "$1" "$2")
    for initramfs in "$folder"/initrd.img-*; do
        if [[ ! -e $initramfs ]]; then
            echo "error: no initramfs was made: $2 has no initrd.img" >&2
            return 1
        fi
        magic=$(od --address-radix=n --format=x1 --read-bytes=4 -- "$initramfs")
        case ${magic// /} in
        1f8b*) gzip --decompress --stdout -- "$initramfs" >"$scratch/initramfs" ;;
        28b52ffd) zstd --decompress --quiet --stdout -- "$initramfs" >"$scratch/initramfs" ;;
        *) cp -- "$initramfs" "$scratch/initramfs" ;;
        esac
        # the header of an ELF file (elf(5)) whose e_machine is not EM_AARCH64
        if LC_ALL=C grep --quiet --text --perl-regexp '\x7fELF[\x01\x02]\x01\x01[\x00-\xff]\x00{8}[\x01-\x04]\x00(?!\xb7\x00)' "$scratch/initramfs"; then
            echo "error: ${initramfs##*/} has programs of another architecture" >&2
            return 1
        fi
        rm -- "$scratch/initramfs"
    done
}
