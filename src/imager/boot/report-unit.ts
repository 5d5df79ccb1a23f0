/** A file to be put into the working copy of an image. */
export interface GuestFile {
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly text: string;
}

/** The unit's name: the report leaves it out. */
export const reportUnitName = "berry-boot-report.service";
export const reportMark = "berry-report";
export const chunkLength = 60;

const scriptPath = "/etc/berry-boot-report.sh";
/** How often the report is printed: kernel messages may break a line of one pass, hardly of all. */
const passes = 5;
/** What was started again after the boot may still be on its way: its failure, or its success, is told instead. */
const startWaitSeconds = 180;
/** A lease may come after multi-user.target. */
const addressWaitSeconds = 45;

/** Units that are looked at, whether the image has them or not. */
const watchedUnits = [
  "ssh.service",
  "ssh.socket",
  "sshd.service",
  "avahi-daemon.service",
  "prometheus-node-exporter.service",
  "prometheus.service",
  "systemd-networkd.service",
  "systemd-resolved.service",
  "systemd-timesyncd.service",
  "wpa_supplicant@wlan0.service",
  "NetworkManager.service",
  "berry-*.service",
];

/**
 * A shorter wait for the wireless interface, which no emulated machine has: sshd would come up after 90 s. A longer one
 * for berry: on a busy host, an emulated card takes a minute to give a program of 100 MB.
 */
export const emulationFiles: readonly GuestFile[] = [
  {
    path: "/etc/systemd/system/berry-.service.d/50-berry-boot.conf",
    mode: 0o644,
    text: "[Service]\nTimeoutStartSec=600\nWatchdogSec=600\n",
  },
  {
    path: "/etc/systemd/system/sys-subsystem-net-devices-wlan0.device.d/50-berry-boot.conf",
    mode: 0o644,
    text: "[Unit]\nJobRunningTimeoutSec=5\n",
  },
];

/**
 * The unit that reports what came up, and its script.
 * @param waitSeconds how long the script waits until systemd calls the boot finished
 */
export function reportFiles(waitSeconds: number): readonly GuestFile[] {
  return [
    { path: scriptPath, mode: 0o755, text: reportScript(waitSeconds) },
    {
      path: `/etc/systemd/system/${reportUnitName}`,
      mode: 0o644,
      text: `[Unit]
Description=Report to berry imager boot what came up
After=multi-user.target

[Service]
# simple: the boot counts as finished while the script still runs
Type=simple
ExecStart=/bin/sh ${scriptPath}
TimeoutStopSec=1
`,
    },
  ];
}

/**
 * POSIX shell with coreutils, util-linux and systemd. Records are `key TAB value`; the whole goes over the
 * console in base64, each line numbered and with its length: `berry-report INDEX COUNT LENGTH BASE64`.
 */
function reportScript(waitSeconds: number): string {
  return `#!/bin/sh
# Put here by berry imager boot, into a copy of the image alone.
set -u
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_PAGER= SYSTEMD_COLORS=0

say() { printf '%s\\t%s\\n' "$1" "$2"; }

property() { systemctl show --property="$1" "$2" | cut -d = -f 2-; }

record() {
  say system_state "$state"
  say multi_user_microseconds "$(property ActiveEnterTimestampMonotonic multi-user.target)"
  say host_name "$(cat /proc/sys/kernel/hostname)"
  say kernel_release "$(uname -r)"
  say os_name "$(. /etc/os-release; echo "\${PRETTY_NAME:-}")"
  say machine_id "$(cat /etc/machine-id)"
  say model "$(tr -d '\\0' < /proc/device-tree/model)"
  df -P -k / | tail -n 1 | while read -r device size used free rest; do
    say root_device "$device"
    say root_size_kib "$size"
    say root_free_kib "$free"
  done
  [ -x /usr/bin/berry ] && say berry_version "$(timeout 60 /usr/bin/berry --version 2>&1 | head -n 1)"
  say console_login "$([ -x /bin/login ] && echo yes || echo no)"
  ip -o address show scope global | while read -r index interface family address rest; do
    say address "$interface $address"
  done
  systemctl list-units --failed --plain --no-legend | while read -r unit rest; do
    say failed_unit "$unit"
    journalctl --boot --unit="$unit" --lines=10 --no-pager --output=cat | while IFS= read -r line; do
      say failed_log "$unit $line"
    done
  done
  systemctl list-jobs --plain --no-legend | while read -r id unit kind progress; do
    case $id in *[!0-9]*) ;; *) say pending_job "$unit" ;; esac
  done
  systemctl show --property=Id,LoadState,ActiveState,SubState ${watchedUnits.map((unit) => `'${unit}'`).join(" ")} |
    while IFS= read -r line; do say unit "$line"; done
}

state=$(timeout ${waitSeconds} systemctl is-system-running --wait) || true
waited=0
while [ "$waited" -lt ${startWaitSeconds} ] && [ -n "$(systemctl list-units --state=activating --plain --no-legend 'berry-*.service')" ]; do
  sleep 1
  waited=$((waited + 1))
done
waited=0
while [ "$waited" -lt ${addressWaitSeconds} ] && command -v ip >/dev/null && [ -z "$(ip -o address show scope global)" ]; do
  sleep 1
  waited=$((waited + 1))
done
document=$(record 2>/dev/null | base64 -w ${chunkLength})
set -- $document
count=$#
dmesg -n 1 2>/dev/null
pass=0
while [ "$pass" -lt ${passes} ]; do
  pass=$((pass + 1))
  index=0
  echo
  for chunk; do
    index=$((index + 1))
    echo "${reportMark} $index $count \${#chunk} $chunk"
  done
  sleep 3
done > /dev/console
`;
}
