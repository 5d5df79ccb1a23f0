#!/bin/bash
# An SD-card image of Debian as one makes it with mmdebstrap: as root, every package's scripts emulated, the initramfs
# as Debian makes it by default (MODULES=most). What it does is what berry does for the same berry.toml; see
# bake-debian.ts for the variables. Runs in a mount and a PID namespace of its own.
set -euo pipefail
umask 022
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR
. "$here/emulator.sh"
cd "$WORK"
root=$WORK/root
trap forget_emulator EXIT
register_emulator "$EMULATOR"

cat >customise <<'END'
#!/bin/bash
set -euo pipefail
root=$1
in_image() { chroot "$root" "$@"; }
in_image usermod --password '!*' root
in_image useradd --create-home --user-group --groups sudo --shell /bin/bash "$USER_NAME"
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
# shellcheck disable=SC2086
in_image systemctl enable $SERVICES
install -m 755 "$BERRY" "$root/usr/bin/berry"
printf 'PARTUUID=%s-02 / ext4 defaults,noatime 0 1\nPARTUUID=%s-01 %s vfat defaults,noatime 0 2\n' "$SIGNATURE" "$SIGNATURE" "$BOOT_MOUNT" >"$root/etc/fstab"
# raspi-firmware wrote config.txt and cmdline.txt for a card that it could not see.
echo "ROOTPART=PARTUUID=$SIGNATURE-02" >>"$root/etc/default/raspi-firmware"
sed -i "s,root=[^ ]*,root=PARTUUID=$SIGNATURE-02," "$root$BOOT_MOUNT/cmdline.txt"
rm -f "$root"/etc/ssh/ssh_host_*
: >"$root/etc/machine-id"
END
chmod +x customise
export SIGNATURE=be44a5ed

# Hooks get the root as $1, from a shell of their own.
# shellcheck disable=SC2016
# The packages are there already, as they are for berry: linked into place, so that apt fetches the lists alone.
mmdebstrap --mode=root --architectures=arm64 --variant=apt --components="$COMPONENTS" --include="$PACKAGES" \
  --skip=essential/unlink --skip=check/qemu \
  --setup-hook='mkdir -p "$1/var/cache/apt/archives" && cp -l "$ARCHIVES"/*.deb "$1/var/cache/apt/archives/"' \
  --essential-hook='mkdir -p "$1$BOOT_MOUNT"' \
  --customize-hook='"$WORK/customise" "$1"' \
  "$SUITE" "$root" "$SOURCES"

truncate --size 3G "$IMAGE"
boot_start=4
sfdisk --quiet "$IMAGE" <<END
label: dos
label-id: 0x$SIGNATURE
start=${boot_start}MiB, size=${BOOT_MIB}MiB, type=c, bootable
start=$((boot_start + BOOT_MIB))MiB, type=83
END
boot_offset=$((boot_start * 1024 * 1024)) root_offset=$(((boot_start + BOOT_MIB) * 1024 * 1024))
mkfs.vfat -F 32 -n BOOT --offset=$((boot_offset / 512)) "$IMAGE" $((BOOT_MIB * 1024)) >/dev/null
MTOOLS_SKIP_CHECK=1 mcopy -i "$IMAGE@@$boot_offset" -s -m -Q "$root$BOOT_MOUNT"/* ::/
rm -rf "${root:?}${BOOT_MOUNT:?}"/*
mke2fs -q -F -t ext4 -b 4096 -L root -E "offset=$root_offset" -d "$root" "$IMAGE" $((3 * 1024 * 1024 - (boot_start + BOOT_MIB) * 1024))k
sync "$IMAGE"
