#!/bin/bash
# An SD-card image of Arch Linux ARM as one makes it by hand: root, loop devices, arch-chroot, everything emulated in the
# image by its own pacman. What it does is what berry does for the same berry.toml; see bake-arch.ts for the variables.
# Runs in a mount and a PID namespace of its own.
set -euo pipefail
umask 022
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR
. "$here/emulator.sh"
cd "$WORK"
root=$WORK/root
boot_start=4 boot_size=$BOOT_MIB
devices=()
finish() {
  set +e
  if mountpoint --quiet "$root"; then umount --recursive "$root"; fi
  for device in "${devices[@]}"; do losetup --detach "$device"; done
  forget_emulator
}
trap finish EXIT
register_emulator "$EMULATOR"

# Whoever fetches it checks it: no mirror offers https.
curl --fail --silent --show-error --remote-name "$TARBALL_URL" --remote-name "$TARBALL_URL.sig"
tarball=${TARBALL_URL##*/}
mkdir -m 700 gnupg
gpg --homedir gnupg --batch --quiet --import "$SIGNING_KEY"
gpg --homedir gnupg --batch --quiet --verify "$tarball.sig" "$tarball"

truncate --size 4G "$IMAGE"
sfdisk --quiet "$IMAGE" <<END
label: dos
start=${boot_start}MiB, size=${boot_size}MiB, type=c, bootable
start=$((boot_start + boot_size))MiB, type=83
END
boot_offset=$((boot_start * 1024 * 1024)) root_offset=$(((boot_start + boot_size) * 1024 * 1024))
boot_device=$(losetup --find --show --offset "$boot_offset" --sizelimit "$((boot_size * 1024 * 1024))" "$IMAGE")
devices+=("$boot_device")
root_device=$(losetup --find --show --offset "$root_offset" "$IMAGE")
devices+=("$root_device")
mkfs.vfat -F 32 -n BOOT "$boot_device" >/dev/null
mkfs.ext4 -q -F -L root "$root_device"
mkdir "$root"
mount "$root_device" "$root"
bsdtar -xpf "$tarball" -C "$root"

# A kernel without vfat, as some servers have, gets the boot partition filled by mtools at the end.
vfat=no
if grep -qw vfat /proc/filesystems; then
  vfat=yes
  mkdir boot
  mv "$root"/boot/* boot/
  mount "$boot_device" "$root/boot"
  cp -r boot/. "$root/boot/"
fi

in_image() { arch-chroot "$root" "$@"; }
sed -i "s,^Server = .*,Server = $MIRROR," "$root/etc/pacman.d/mirrorlist"
printf '\n[bench]\nServer = %s\n' "$MIRROR" >>"$root/etc/pacman.conf"
in_image pacman-key --init
in_image pacman-key --populate "$KEYRING"
# Landlock is not there under qemu-user.
emulated_pacman() { in_image pacman --noconfirm --noprogressbar --disable-sandbox "$@"; }
emulated_pacman -Syu
# shellcheck disable=SC2086
emulated_pacman -Rdd $REMOVE
# shellcheck disable=SC2086
emulated_pacman -S --needed $PACKAGES
rm -rf "$root"/var/cache/pacman/pkg/* "$root"/var/lib/pacman/sync/*

in_image userdel -r alarm 2>/dev/null
in_image usermod --password '!*' root
in_image useradd -m -U -G wheel -s /bin/bash "$USER_NAME"
in_image chpasswd <<<"$USER_NAME:$(cat "$PASSWORD_FILE")"
echo "$USER_NAME ALL=(ALL:ALL) ALL" >"$root/etc/sudoers.d/10-bench"
echo "$LOCALE UTF-8" >"$root/etc/locale.gen"
in_image locale-gen
echo "LANG=$LOCALE" >"$root/etc/locale.conf"
ln -sf "/usr/share/zoneinfo/$TIMEZONE" "$root/etc/localtime"
echo "$NODE" >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$NODE" >"$root/etc/hosts"
printf '[Match]\nType=ether\n\n[Network]\nDHCP=yes\n' >"$root/etc/systemd/network/20-wired.network"
printf '[Match]\nType=wlan\n\n[Network]\nDHCP=yes\n' >"$root/etc/systemd/network/25-wireless.network"
(
  umask 077
  printf 'ctrl_interface=/run/wpa_supplicant\ncountry=%s\nnetwork={\n  ssid="%s"\n  psk="%s"\n}\n' "$COUNTRY" "$SSID" "$(cat "$PSK_FILE")" \
    >"$root/etc/wpa_supplicant/wpa_supplicant-wlan0.conf"
)
# systemd does not run in there: what a service wants is linked from the host.
# shellcheck disable=SC2086
systemctl --root="$root" --quiet enable $SERVICES
install -m 755 "$BERRY" "$root/usr/bin/berry"
signature=$(sfdisk --disk-id "$IMAGE")
signature=${signature#0x}
printf 'PARTUUID=%s-02 / ext4 defaults,noatime 0 1\nPARTUUID=%s-01 /boot vfat defaults,noatime 0 2\n' "$signature" "$signature" >"$root/etc/fstab"
sed -i "s,root=[^ ]*,root=PARTUUID=$signature-02," "$root/boot/cmdline.txt"
rm -rf "$root"/etc/ssh/ssh_host_* "$root/etc/pacman.d/gnupg" "$root"/var/log/*.log
: >"$root/etc/machine-id"

if [ "$vfat" = no ]; then
  MTOOLS_SKIP_CHECK=1 mcopy -i "$IMAGE@@$boot_offset" -s -m -Q "$root"/boot/* ::/
  rm -rf "${root:?}"/boot/*
fi
umount --recursive "$root"
sync "$IMAGE"
