# fetch URL FILE: from the beginning, as what lies there may be of another day; a broken connection is resumed.
fetch() {
    rm -f -- "$2"
    curl --fail --location --silent --show-error --retry 5 --retry-connrefused --continue-at - --output "$2" -- "$1"
}

# without_agent FOLDER: gpg needs no agent, but fails where the path of its socket is too long; libassuan lets a file stand there.
without_agent() {
    install -d -m 700 -- "$1"
    printf '%%Assuan%%\nsocket=/nonexistent/S.gpg-agent\n' >"$1/S.gpg-agent"
}

# is_signed GNUPG SIGNATURE FILE FINGERPRINT: by that primary key or a subkey of it, neither expired nor revoked.
is_signed() {
    local status
    status=$(gpg --homedir "$1" --batch --no-autostart --status-fd 1 --verify -- "$2" "$3" 2>/dev/null) || return 1
    grep --quiet '^\[GNUPG:\] GOODSIG ' <<<"$status" &&
        grep --quiet "^\[GNUPG:\] VALIDSIG .* $4\$" <<<"$status"
}

# download URL FILE SIGNATURE-URL FINGERPRINT <KEY: keeps in FILE what the key with that fingerprint has signed.
download() {
    local gnupg
    gnupg=$(mktemp -d "$scratch/gnupg.XXXXXX")
    without_agent "$gnupg"
    gpg --homedir "$gnupg" --batch --quiet --no-autostart --import
    fetch "$3" "$2.sig"
    if [[ -e $2 ]] && is_signed "$gnupg" "$2.sig" "$2" "$4"; then return; fi
    fetch "$1" "$2.part"
    if ! is_signed "$gnupg" "$2.sig" "$2.part" "$4"; then
        rm -f -- "$2.part"
        echo "error: $1 is not signed by $4" >&2
        return 1
    fi
    mv -f -T -- "$2.part" "$2"
}

# fetch_debs CONFIG ARCHIVES INTO EXCEPT PACKAGE…: what apt selects is linked into INTO, but for what the folder EXCEPT holds.
fetch_debs() {
    local archives=$2 into=$3 except=$4 empty=$scratch/no-archives file
    local apt=(env "APT_CONFIG=$1" apt-get --yes --quiet --option)
    mkdir -p -- "$empty/partial"
    install -d -m 700 -- "$archives/partial"
    # asked with an empty folder of archives: apt lists only what it has not
    "${apt[@]}" "Dir::Cache::archives=$empty" --print-uris install "${@:5}" |
        sed -n "s/^'[^']*' \([^ ]*\.deb\) [0-9]* .*/\1/p" >"$scratch/selected"
    "${apt[@]}" "Dir::Cache::archives=$archives" --download-only install "${@:5}"
    rm -rf -- "$into"
    mkdir -p -- "$into"
    while read -r file; do
        if [[ -z $except || ! -e $except/$file ]]; then ln -- "$archives/$file" "$into/$file"; fi
    done <"$scratch/selected"
}

# unpack_debs FROM INTO: as plain archives, without maintainer scripts.
unpack_debs() {
    local deb
    mkdir -p -- "$2"
    for deb in "$1"/*; do dpkg-deb --extract "$deb" "$2"; done
}

# has_files FOLDER
has_files() {
    [[ -n $(ls -A -- "$1") ]]
}

# pacman_keyring ROOT KEYRING FOLDER: a GnuPG folder that trusts the image's keyring package, without a secret key.
pacman_keyring() {
    local gpg=(gpg --homedir "$3" --batch --quiet) keys key
    without_agent "$3"
    printf '%s\n' no-autostart no-greeting no-permission-warning lock-never >"$3/gpg.conf"
    : >"$3/pubring.gpg"
    keys=$(real_path "$1" "/usr/share/pacman/keyrings/$2.gpg")
    "${gpg[@]}" --import "$keys"
    keys=$(real_path "$1" "/usr/share/pacman/keyrings/$2-trusted")
    sed -n 's/^\([^:]\{1,\}\).*/\1:6:/p' "$keys" | "${gpg[@]}" --import-ownertrust
    keys=$(real_path "$1" "/usr/share/pacman/keyrings/$2-revoked")
    if [[ -e $keys ]]; then
        while read -r key || [[ -n $key ]]; do
            if [[ -z $key ]]; then continue; fi
            printf 'disable\nquit\n' | "${gpg[@]}" --command-fd 0 --no-auto-check-trustdb --edit-key "$key"
        done <"$keys"
    fi
    "${gpg[@]}" --check-trustdb
}

# installed_of ROOT PACKAGE…: those that pacman's database in the image has.
installed_of() {
    local database entry
    database=$(real_path "$1" /var/lib/pacman/local)
    for entry in "$database"/*-*-*; do
        entry=${entry##*/}
        entry=${entry%-*-*}
        if [[ " ${*:2} " == *" $entry "* ]]; then printf '%s\n' "$entry"; fi
    done
}

# remove_packages ROOT PACKAGE… -- COMMAND…: calls COMMAND with those that are installed.
remove_packages() {
    local packages=("$1") installed=()
    while [[ $2 != -- ]]; do
        packages+=("$2")
        shift
    done
    mapfile -t installed < <(installed_of "${packages[@]}")
    if ((${#installed[@]} > 0)); then "${@:3}" "${installed[@]}"; fi
}

# list_software ROOT DATABASE INTO FILE…: what the tree has installed, and the digests of files that it was installed from.
list_software() {
    local root=$1 into=$3
    umask 077
    case $2 in
        dpkg) cat -- "$(real_path "$root" /var/lib/dpkg/status)" ;;
        pacman) cat -- "$(real_path "$root" /var/lib/pacman/local)"/*/desc ;;
    esac >"$into/software.database"
    cat -- "$(real_path "$root" /etc/os-release)" >"$into/software.os-release" 2>/dev/null || true
    shift 3
    : >"$into/software.digests"
    if (($# > 0)); then sha256sum -- "$@" >"$into/software.digests"; fi
    umask 022
}

# digest_installed CACHE UPPER INTO: of the package files that the entries of pacman's local database in UPPER name.
digest_installed() {
    local entry file
    for entry in "$2"/var/lib/pacman/local/*/; do
        entry=${entry%/}
        for file in "$1/${entry##*/}"-*.pkg.tar.*; do
            case ${file#"$1/${entry##*/}-"} in
                *.sig | *-* | \**) ;;
                *) sha256sum -- "$file" ;;
            esac
        done
    done >"$3/software.digests"
}
