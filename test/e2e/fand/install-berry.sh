# Sourced in an emulated root, $R. The host's pacman installs $PACKAGE there, runs its scriptlet as arm64, and removes it
# again. Before that all of the root is packed as the kernel unpacks it, with the files below $TREE and, for each of their
# drop-ins, a copy of the package's unit. Into $OUT: the archives, and what pacman and systemctl said.
printf '[options]\nArchitecture = aarch64\nSigLevel = Required\nLocalFileSigLevel = Optional\n' >"$W/pacman.conf"
mkdir -p "$W/cache" "$W/gnupg" "$W/hooks" "$R/var/lib/pacman"
host_pacman() {
  pacman --config "$W/pacman.conf" --root "$R" --dbpath "$R/var/lib/pacman" --cachedir "$W/cache" --gpgdir "$W/gnupg" \
    --hookdir "$W/hooks" --logfile "$W/log" --noconfirm --color never "$@" 2>&1
}
pack() { bsdtar --one-file-system --format newc -cf "$OUT/$1" -C "$R" "$2"; }

# glibc is Debian's, of which pacman does not know
host_pacman --assume-installed glibc -U "$PACKAGE" >"$OUT/install"
host_pacman -Qkk berry >"$OUT/check"
host_pacman -Qo "$R"/usr/bin/berry "$R"/usr/lib/berry/* "$R"/usr/lib/systemd/system/berry-* | sed "s,^$R,," >"$OUT/owners"
cp -R "$TREE/." "$R"
for drop_in in "$R"/etc/systemd/system/berry-*.service.d; do
  cp "$R/usr/lib/systemd/system/berry-fand.service" "${drop_in%.d}"
done
pack root.cpio .

# the way of the imager
links=etc/systemd/system/multi-user.target.wants
rm -r "${R:?}/$links"
systemctl --root="$R" enable berry-fand.service >"$OUT/enable" 2>&1
pack enabled.cpio "$links"

rm -r "$R"/etc/systemd/system/berry-* "$R/usr/lib/berry-test"
host_pacman -R berry >"$OUT/remove"
(cd "$R" && find . -xdev -path ./etc/berry -prune -o -name '*berry*' -print) >"$OUT/left"
