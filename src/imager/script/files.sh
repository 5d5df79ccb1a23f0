# real_path ROOT PATH: where PATH leads inside ROOT, symbolic links followed as a chroot would follow them.
real_path() {
    local pending=$2 reached='' name target links=0
    while [[ -n $pending ]]; do
        name=${pending%%/*}
        if [[ $pending == */* ]]; then pending=${pending#*/}; else pending=''; fi
        case $name in
        '' | .) continue ;;
        ..)
            reached=${reached%/*}
            continue
            ;;
        esac
        if [[ ! -L $1$reached/$name ]]; then
            reached+=/$name
            continue
        fi
        target=$(readlink -- "$1$reached/$name")
        if ((++links > 40)); then
            echo "error: too many symbolic links in the image: $2" >&2
            return 1
        fi
        if [[ $target == /* ]]; then reached=''; fi
        pending=$target/$pending
    done
    printf '%s\n' "$1$reached"
}

# place_of ROOT PATH: the same, the last component not followed.
place_of() {
    local folder
    folder=$(real_path "$1" "${2%/*}")
    printf '%s\n' "$folder/${2##*/}"
}

# id_of ROOT DATABASE NAME: a number, or what the image's own passwd or group says.
id_of() {
    local database
    if [[ $3 =~ ^[0-9]+$ ]]; then
        echo "$3"
        return
    fi
    database=$(real_path "$1" "$2")
    if ! awk -F: -v name="$3" '$1 == name { print $3; found = 1; exit } END { exit !found }' "$database"; then
        echo "error: the image's $2 has no $3" >&2
        return 1
    fi
}

# own ROOT FILE MODE OWNER: owner before mode, since chown clears the set-user-id bits.
own() {
    local user group
    user=$(id_of "$1" /etc/passwd "${4%%:*}")
    group=$(id_of "$1" /etc/group "${4#*:}")
    chown --no-dereference -- "$user:$group" "$2"
    chmod -- "$3" "$2"
}

# write_file ROOT PATH MODE OWNER <CONTENT: replaces whatever is there, also a symbolic link.
write_file() {
    local place
    place=$(place_of "$1" "$2")
    mkdir -p -- "${place%/*}"
    rm -f -- "$place.berry-new"
    (umask 077 && cat >"$place.berry-new")
    own "$1" "$place.berry-new" "$3" "$4"
    mv -f -T -- "$place.berry-new" "$place"
}

# copy_file SOURCE SHA256 ROOT PATH MODE OWNER: a file of the host, unless it changed.
copy_file() {
    sha256sum --check --quiet - <<<"$2  $1"
    write_file "${@:3}" <"$1"
}

# make_directory ROOT PATH MODE OWNER
make_directory() {
    local place
    place=$(real_path "$1" "$2")
    mkdir -p -- "$place"
    own "$1" "$place" "$3" "$4"
}

# link_to ROOT PATH TARGET: a symbolic link in place of whatever is there.
link_to() {
    local place
    place=$(place_of "$1" "$2")
    mkdir -p -- "${place%/*}"
    rm -f -- "$place.berry-new"
    ln -s -- "$3" "$place.berry-new"
    mv -f -T -- "$place.berry-new" "$place"
}

# remove ROOT PATH…: with all below; a `*` in the last component stands for anything.
remove() {
    local path place
    for path in "${@:2}"; do
        place=$(place_of "$1" "$path")
        if [[ $path != *\** ]]; then
            rm -rf -- "$place"
        elif [[ -d ${place%/*} ]]; then
            find "${place%/*}" -mindepth 1 -maxdepth 1 -name "${place##*/}" -exec rm -rf -- {} +
        fi
    done
}

# set_line ROOT PATH PREFIX LINE: drops the lines that start with PREFIX and adds LINE at the end.
set_line() {
    local place kept line
    place=$(real_path "$1" "$2")
    if [[ ! -e $place ]]; then
        write_file "$1" "$2" 0644 0:0 <<<"$4"
        return
    fi
    kept=$(while IFS= read -r line || [[ -n $line ]]; do
        if [[ $line != "$3"* ]]; then printf '%s\n' "$line"; fi
    done <"$place")
    printf '%s\n' ${kept:+"$kept"} "$4" >"$place"
}

# add_lines ROOT PATH LINE...: adds the lines at the end.
add_lines() {
    local place kept=''
    place=$(real_path "$1" "$2")
    if [[ ! -e $place ]]; then
        write_file "$1" "$2" 0644 0:0 < <(printf '%s\n' "${@:3}")
        return
    fi
    kept=$(<"$place")
    printf '%s\n' ${kept:+"$kept"} "${@:3}" >"$place"
}

# first_line FILE: of a secret, without its line end; no program's arguments ever hold it.
first_line() {
    local line
    IFS= read -r line <"$1" || [[ -n $line ]]
    printf '%s\n' "${line%$'\r'}"
}

# password_line USER FILE: as chpasswd(8) reads it.
password_line() {
    local password
    password=$(first_line "$2")
    printf '%s:%s\n' "$1" "$password"
}

# wifi_key SSID FILE: the 256-bit key of the passphrase in FILE; a key given as such is kept.
wifi_key() {
    local passphrase
    passphrase=$(first_line "$2")
    if [[ $passphrase =~ ^[0-9a-fA-F]{64}$ ]]; then
        printf '%s\n' "${passphrase,,}"
    else
        printf '%s\n' "$passphrase" | wpa_passphrase "$1" | sed -n 's/^\tpsk=\([0-9a-f]\{64\}\)$/\1/p' | grep .
    fi
}

# make_host_key FILE COMMENT: an SSH host key of type ed25519, and its public half in FILE.pub; what is there stays.
make_host_key() {
    local folder=${1%/*}
    if [[ -e $1 ]]; then
        if [[ ! -e $1.pub ]]; then ssh-keygen -y -P '' -f "$1" >"$1.pub"; fi
        return
    fi
    (umask 077 && mkdir -p -- "$folder")
    rm -rf -- "$folder/.new"
    (umask 077 && mkdir -- "$folder/.new")
    ssh-keygen -q -t ed25519 -N '' -C "$2" -f "$folder/.new/key"
    sync "$folder/.new/key"
    mv -T -- "$folder/.new/key" "$1"
    mv -T -- "$folder/.new/key.pub" "$1.pub"
    rmdir -- "$folder/.new"
}

# write_host_key FILE ROOT PATH: both halves of an SSH host key.
write_host_key() {
    write_file "$2" "$3" 0600 0:0 <"$1"
    write_file "$2" "$3.pub" 0644 0:0 <"$1.pub"
}

# known_host NAMES PUBLIC-KEY…: lines as known_hosts has them, of those keys that are there.
known_host() {
    local file
    for file in "${@:2}"; do
        if [[ -e $file ]]; then awk -v names="$1" '{ print names, $1, $2; exit }' "$file"; fi
    done
}

# settle ROOT EPOCH [UPPER]: nothing of the tree, or of UPPER alone, is younger than the epoch, nor is a date that a file notes.
settle() {
    local tree=${3-} place file
    place=$(real_path "$1" /var/lib/pacman/local)
    for file in "$place"/*/desc; do
        rewrite "$file" awk -v epoch="$2" 'head == "%INSTALLDATE%" && $0 + 0 > epoch { $0 = epoch } { print; head = $0 }'
    done
    place=$(real_path "$1" /etc/shadow)
    rewrite "$place" awk -F: -v OFS=: -v day="$(($2 / 86400))" '$3 + 0 > day { $3 = day } { print }'
    if [[ -z $tree ]]; then
        # through a bind mount, which shows what lies under all that is mounted on the tree
        tree=$(mktemp -d "$scratch/settle.XXXXXX")
        mount_on "$tree" --bind "$1"
    fi
    find "$tree" -xdev -depth -newermt "@$2" -exec touch --no-dereference --date="@$2" -- {} +
}

# rewrite FILE COMMAND…: in place, and not at all where nothing changes: the file may be of a layer below.
rewrite() {
    if [[ ! -f $1 ]]; then return; fi
    "${@:2}" <"$1" >"$scratch/rewritten"
    if ! cmp --silent -- "$1" "$scratch/rewritten"; then cat "$scratch/rewritten" >"$1"; fi
    rm -- "$scratch/rewritten"
}
