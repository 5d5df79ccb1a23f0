/**
 * The cluster as berry.toml describes it, after loading: validated, defaulted, merged per node, frozen.
 * Nothing below `config/` sees an optional field that has a default, or a secret: secrets are references.
 */
export interface Cluster {
  readonly name: string;
  /** Absolute path of the file that it was read from. */
  readonly file: string;
  /** Name of a shipped target, or the absolute path of a target file. */
  readonly target: string;
  /** Absolute path of the folder that receives NODE.img. */
  readonly outputDirectory: string;
  readonly nodes: readonly Node[];
}

export interface Node {
  /** The host name: one label of RFC 1123, lower case. Unique in the cluster. */
  readonly name: string;
  readonly role: string;
  readonly image: ImageSettings;
  readonly user: UserSettings;
  readonly ssh: SshSettings;
  readonly network: NetworkSettings;
  readonly wifi: WifiSettings | null;
  readonly fan: FanSettings | null;
}

export interface ImageSettings {
  /** Where packages come from while baking and afterwards; null: what the target or the host says. */
  readonly mirror: string | null;
  /** IANA name, such as `Asia/Shanghai`. */
  readonly timezone: string;
  /** LANG, such as `en_US.UTF-8`. */
  readonly locale: string;
  /** Further locales to generate. */
  readonly locales: readonly string[];
  /** Console keymap, such as `us`. */
  readonly keymap: string;
  readonly packages: readonly string[];
  /** Further systemd units to enable, such as `docker.service`. */
  readonly services: readonly string[];
  readonly files: readonly ExtraFile[];
  /** Absolute path of an executable that runs as root in the chroot, last; null: none. */
  readonly script: string | null;
  /** Lines added to the firmware's config.txt. */
  readonly configTxt: readonly string[];
  /** Words added to the kernel's command line. */
  readonly cmdline: readonly string[];
  /** Free space of the root file system beyond its content, in bytes. */
  readonly marginBytes: number;
}

export interface ExtraFile {
  /** Absolute path on the host (a file). */
  readonly source: string;
  /** Absolute path in the image. */
  readonly path: string;
  /** Permission bits, such as 0o644. */
  readonly mode: number;
  /** Names or numbers, as `chown` of the image takes them. */
  readonly owner: string;
  readonly group: string;
  /** A secret file reaches the node's image alone, never the cache; the script does not see it. */
  readonly secret: boolean;
}

export interface UserSettings {
  readonly name: string;
  readonly password: Password | null;
  /** Whole public key lines, as sshd reads them. */
  readonly authorizedKeys: readonly string[];
  readonly groups: readonly string[];
  /** What sudo asks of this user; `none`: no sudo at all. */
  readonly sudo: "password" | "no-password" | "none";
  /** Absolute path in the image. */
  readonly shell: string;
}

export type Password =
  /** Absolute path of a file whose first line is the password. */
  | { readonly kind: "file"; readonly path: string }
  /** A crypt(5) hash. */
  | { readonly kind: "hash"; readonly hash: string };

export interface SshSettings {
  /** false: public keys alone. */
  readonly passwordLogin: boolean;
  /** Absolute path of the folder that keeps host keys, NODE/ssh_host_TYPE_key; null: they are made on the first boot. */
  readonly hostKeys: string | null;
}

/** The wired interface. */
export interface NetworkSettings {
  /** null: DHCP. Otherwise CIDR addresses, such as `192.168.1.11/24`. */
  readonly static: {
    readonly addresses: readonly string[];
    readonly gateway: string | null;
  } | null;
  readonly dns: readonly string[];
}

export interface WifiSettings {
  /** 1 to 32 bytes of UTF-8. */
  readonly ssid: string;
  /** Absolute path of a file whose first line is the passphrase (8 to 63 printable ASCII characters) or the PSK (64 hexadecimal digits); null: an open network. */
  readonly pskFile: string | null;
  /** wpa3 needs the passphrase itself in the image; the file must say `store_passphrase = true`. */
  readonly security: "wpa2" | "wpa3" | "open";
  readonly hidden: boolean;
  /** ISO 3166-1 alpha-2, upper case. */
  readonly country: string;
}

/** What the fan daemon of a node gets to know, judged as it would judge it itself. */
export interface FanSettings {
  /** What /etc/berry/fand.toml says, as plain data. */
  readonly content: Readonly<Record<string, unknown>>;
  /** What that comes to; none where nothing is to be driven. */
  readonly fans: readonly ConnectedFan[];
}

/** Where a fan is connected, as far as the boot configuration has to know. */
export interface ConnectedFan {
  /** Where it stands in the content: empty, or such as `fan[left]`. */
  readonly path: string;
  /** What drives it; `auto`: whatever fits. */
  readonly backend: "auto" | "hwmon" | "pwm" | "gpio" | "pigpio";
  /** BCM number of the GPIO, 0 to 27; null: the board's fan connector, or a fan that the kernel knows. */
  readonly pin: number | null;
  readonly mode: "pwm" | "on-off";
  /** Name of the kernel's hwmon chip; null: any. */
  readonly chip: string | null;
  /** Full speed is the low level. */
  readonly isInverted: boolean;
}
