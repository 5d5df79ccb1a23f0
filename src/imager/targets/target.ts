import * as z from "zod";

/**
 * An image target: data alone, one TOML file of `targets/` or of the user's.
 * Which packages carry what, where things lie, how the rootfs is obtained and checked.
 */
const names = z.array(z.string().min(1)).default([]);

const partition = z.strictObject({
  /** Where the FAT partition is mounted. */
  mount: z.enum(["/boot", "/boot/firmware"]),
  size_mib: z.number().int().min(64).max(4096),
  config_txt: z.array(z.string()).default([]),
  /**
   * Where overlays of fans come from: `distribution`, the Foundation's with its kernel; `berry`, those of
   * targets/overlays, for mainline's device trees; `none`: nobody knows.
   */
  overlays: z.enum(["distribution", "berry", "none"]).default("none"),
  /** Words of cmdline.txt besides root=, rootfstype, rootwait and what berry.toml adds. */
  cmdline: z.array(z.string()).default([]),
  /** Where the distribution keeps what it writes config.txt and cmdline.txt from, if it does. */
  settings: z
    .strictObject({
      /** Shell variables, one a line. */
      file: z.string().startsWith("/"),
      lines: names,
      /** Variable that takes the root partition. */
      root_variable: z.string().min(1),
      /** File of further lines of config.txt. */
      config_txt_file: z.string().startsWith("/"),
      /** File of further words of cmdline.txt. */
      cmdline_file: z.string().startsWith("/"),
    })
    .optional(),
});

const tarball = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }),
    /** Detached OpenPGP signature; `.sig` beside the tarball by default. */
    signature_url: z.url({ protocol: /^https?$/ }).optional(),
    /** Fingerprint of the primary key that must have signed, 40 hexadecimal digits. */
    signing_key: z.string().regex(/^[0-9A-F]{40}$/, "40 upper-case hexadecimal digits"),
    /** Armoured public key: a file, relative to the target file. Its fingerprint must be `signing_key`. */
    signing_key_file: z.string().min(1).optional(),
    /** Where to fetch the armoured public key, if there is no file: what arrives must have that fingerprint. */
    signing_key_url: z.url({ protocol: /^https?$/ }).optional(),
  })
  .refine((rootfs) => (rootfs.signing_key_file === undefined) !== (rootfs.signing_key_url === undefined), {
    message: "give either signing_key_file or signing_key_url",
  });

const common = {
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  description: z.string().min(1),
  architecture: z.literal("aarch64"),
  boot: partition,
  packages: z.strictObject({
    /** Installed in every image. */
    base: names,
    /** Installed where berry.toml has [wifi]. */
    wifi: names,
    /** Kernel and firmware: installed last, after `remove`. */
    kernel: names,
    /** Removed if the rootfs has them. */
    remove: names,
  }),
  services: z.strictObject({ enable: names, disable: names }),
  /** How Prometheus' node_exporter is told of one folder more, if it is installed. */
  node_exporter: z
    .strictObject({
      unit: z.string().endsWith(".service"),
      /** As the package's own unit starts it. */
      command: z.string().min(1),
      /** What it does not do by itself and berry's alerts need. A flag that comes twice keeps it from starting. */
      arguments: names,
      /** Where it looks for text files if nobody says anything: a folder that is named takes their place. */
      textfile_folders: names,
    })
    .optional(),
  /** The Prometheus of a node whose role is monitor; it reads /etc/prometheus/prometheus.yml. */
  prometheus: z
    .strictObject({
      packages: z.array(z.string().min(1)).min(1),
      unit: z.string().endsWith(".service"),
      /** As the package's own unit starts it. */
      command: z.string().min(1),
    })
    .optional(),
  users: z.strictObject({ remove: names, lock: names, groups: names }),
  /** The hosts line of nsswitch.conf, where installing the packages does not write it. */
  nss_hosts: z.string().min(1).optional(),
  /** What QEMU's raspi3b needs of the image, paths on the boot partition. */
  emulation: z
    .strictObject({
      kernel: z.string(),
      initramfs: z.string().optional(),
      device_tree: z.string(),
      console: z.string(),
      /** Words of the kernel's command line that the emulated machine needs and a real one does not. */
      cmdline: z.array(z.string()).default([]),
    })
    .optional(),
};

export const targetSchema = z.discriminatedUnion("family", [
  z.strictObject({
    ...common,
    family: z.literal("pacman"),
    rootfs: tarball,
    pacman: z.strictObject({
      /** Server line; `$arch` and `$repo` stand as pacman reads them. */
      mirror: z.string(),
      repositories: z.array(z.string()).min(1),
      keyring: z.string(),
    }),
  }),
  z.strictObject({
    ...common,
    family: z.literal("apt"),
    apt: z.strictObject({
      suite: z.string(),
      components: z.array(z.string()).min(1),
      /** File of /usr/share/keyrings on the host. */
      keyring: z.string(),
    }),
    initramfs: z.strictObject({ modules: z.array(z.string()) }),
  }),
]);

export type Target = z.infer<typeof targetSchema>;
