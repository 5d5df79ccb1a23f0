# shellcheck shell=sh
# Sourced with tools.sh: lays out what berry consists of on a machine, as its package and its archive have it.

# The units that a machine may want; the imager has others, for a first boot.
package_units='berry-fand.service berry-announce.service berry-targets.service'

# place MODE SOURCE PATH: copies a file into the tree $stage.
place() {
    mkdir -p "$stage/${3%/*}"
    install -m "$1" "$2" "$stage/$3"
}

# stage_files BINARY TREE: a tree of usr and etc around a compiled berry. The completions and the manual come of the
# source, since the program may be another architecture's.
stage_files() {
    stage=$2
    place 755 "$1" usr/bin/berry
    place 755 systemd/berry-fand-failsafe.sh usr/lib/berry/fand-failsafe
    for unit in $package_units; do
        place 644 "systemd/$unit" "usr/lib/systemd/system/$unit"
    done
    place 644 pkgbuild/fand.toml etc/berry/fand.toml
    place 644 LICENSE usr/share/licenses/berry/LICENSE
    place 644 README.md usr/share/doc/berry/README.md
    place 644 CHANGELOG.md usr/share/doc/berry/CHANGELOG.md
    text=$(mktemp)
    bun scripts/licences.ts >"$text"
    place 644 "$text" usr/share/licenses/berry/THIRD-PARTY
    for shell in bash:bash-completion/completions/berry zsh:zsh/site-functions/_berry fish:fish/vendor_completions.d/berry.fish; do
        bun src/main.ts completions "${shell%%:*}" >"$text"
        place 644 "$text" "usr/share/${shell#*:}"
    done
    rm -f "$text"
    bun src/main.ts manual "$stage/usr/share/man/man1" >/dev/null
    chmod 644 "$stage"/usr/share/man/man1/*
    find "$stage" -type d -exec chmod 755 {} +
}

# pack_tree FOLDER NAME LEVEL: FOLDER/NAME as an archive on standard output; the same files give the same bytes.
pack_tree() {
    tar --create --directory "$1" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
        --format=posix --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime "$2" |
        xz "$3" --threads=1
}
