/** What a new cluster file is made of: every value valid by itself. */
export interface ClusterAnswers {
  readonly name: string;
  readonly nodes: readonly string[];
  readonly target: string;
  readonly user: string;
  /** As berry.toml is to name it. */
  readonly passwordFile: string;
  /** Paths of public keys, as berry.toml is to name them. */
  readonly authorizedKeys: readonly string[];
  readonly wifi: WifiAnswers | null;
  readonly timezone: string;
  readonly locale: string;
  readonly keymap: string;
}

export interface WifiAnswers {
  readonly ssid: string;
  /** As berry.toml is to name it; null: an open network. */
  readonly pskFile: string | null;
  readonly country: string;
}

/** The text of a commented berry.toml, which loads without a problem when the files that it names are in order. */
export function renderCluster(answers: ClusterAnswers): string {
  const sections = [
    `# The cluster, for berry. Paths are relative to this file; secrets live in files of their own.
# berry imager plan shows what will be done, berry imager bake does it.

[cluster]
name = ${quote(answers.name)}`,
    `[image]
target   = ${quote(answers.target)}
timezone = ${quote(answers.timezone)}
locale   = ${quote(answers.locale)}
keymap   = ${quote(answers.keymap)}
packages = []                          # such as ["vim", "htop"]
# services   = ["docker"]              # further units to enable
# files      = [{ source = "motd", path = "/etc/motd", mode = "0644" }]
# script     = "customise.sh"          # runs as root in the image, last
# config_txt = ["dtparam=audio=off"]   # lines for the firmware
# margin     = "256MiB"                # free space of the root file system`,
    renderUser(answers),
    renderWifi(answers.wifi),
    `# A fan on every node; it becomes /etc/berry/fand.toml.
# [fan]
# pin  = 18                            # BCM number of the GPIO
# mode = "pwm"                         # or "on-off"
# curve = [[45, 0], [50, 30], [72, 100]]   # and whatever else berry fand understands`,
    `# A node may override everything but the target, such as:
# network = { address = "192.168.1.11/24", gateway = "192.168.1.1", dns = ["192.168.1.1"] }
# fan     = { mode = "on-off" }
# wifi    = false
# A node's role is what you call it, but for one:
# role    = "monitor"                  # with Prometheus, which watches all nodes`,
    ...answers.nodes.map((node) => `[[node]]\nname = ${quote(node)}`),
  ];
  return `${sections.join("\n\n")}\n`;
}

function renderUser(answers: ClusterAnswers): string {
  const keys = answers.authorizedKeys.map(quote).join(", ");
  return `[user]
name            = ${quote(answers.user)}
password_file   = ${quote(answers.passwordFile)}
${keys === "" ? '# authorized_keys = ["~/.ssh/id_ed25519.pub"]' : `authorized_keys = [${keys}]`}
# sudo          = "password"           # or "no-password", "none"

[ssh]
password_login = true                  # false: public keys alone
# Each node's SSH host key is made with its first image, kept here, and told in images/known_hosts.
# host_keys    = "secret/host-keys"    # or false: made on the first boot`;
}

function renderWifi(wifi: WifiAnswers | null): string {
  if (wifi === null) {
    return `# [wifi]
# ssid     = "home"
# psk_file = "secret/wifi"             # its first line is the passphrase; the card gets a derived key
# country  = "CN"`;
  }
  const secret = wifi.pskFile === null ? 'security = "open"' : `psk_file = ${quote(wifi.pskFile)}`;
  return `[wifi]
ssid     = ${quote(wifi.ssid)}
${secret}
country  = ${quote(wifi.country)}`;
}

/** A TOML basic string: JSON's escapes are TOML's, but for DEL. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}
