# shellcheck shell=sh
# Sourced with tools.sh: an Arch package by makepkg that tells nothing of the machine it was made on.

# write_recipe FOLDER VERSION: PKGBUILD and .install in FOLDER, with the digests of the archives that lie there.
write_recipe() {
    cp pkgbuild/PKGBUILD "$1"
    for archive in "$1/berry-$2"-*.tar.xz; do
        architecture=${archive##*-}
        architecture=${architecture%.tar.xz}
        digest=$(sha256sum "$archive" | cut -d ' ' -f 1)
        sed -i "s/^sha256sums_$architecture=.*/sha256sums_$architecture=($digest)/" "$1/PKGBUILD"
    done
    install -m 644 pkgbuild/berry.install "$1"
}

# make_package ARCHITECTURE FOLDER WORK LEVEL ARCHIVE: packs ARCHIVE by the PKGBUILD that lies beside it in FOLDER.
# makepkg notes where it worked and what is installed: it works in /mnt of a mount namespace, and asks no pacman. It
# refuses to be root: in a user namespace it is 1000, whoever it is outside.
make_package() {
    mkdir "$3"
    cp "$2/PKGBUILD" "$2/berry.install" "$2/$5" "$3"
    cat >"$3/makepkg.conf" <<EOF
CARCH=$1
CHOST=$1-unknown-linux-gnu
DLAGENTS=()
BUILDENV=(!distcc !color !ccache !check !sign)
OPTIONS=(!strip docs !libtool !staticlibs emptydirs zipman purge !debug !lto)
INTEGRITY_CHECK=(sha256)
MAN_DIRS=(usr/share/man)
DOC_DIRS=(usr/share/doc)
PURGE_TARGETS=()
PKGEXT=.pkg.tar.zst
SRCEXT=.src.tar.gz
COMPRESSZST=(zstd -c -q $4 --single-thread -)
PACKAGER='berry'
EOF
    # The words are the inner shell's.
    # shellcheck disable=SC2016
    unshare --user --map-root-user --mount -- sh -c '
        mount --bind "$1" /mnt && cd /mnt &&
            exec unshare --user --map-user=1000 --map-group=1000 -- env -i PATH="$PATH" HOME=/nonexistent LC_ALL=C.UTF-8 \
                PACMAN=true SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" makepkg --config makepkg.conf --nodeps --force
    ' sh "$3" >"$3/log" 2>&1 || {
        cat "$3/log" >&2
        say "error: makepkg did not make the package for $1"
        return 70
    }
}
