import { stringify } from "smol-toml";
import gpioFan from "../../../targets/overlays/gpio-fan.dts" with { type: "text" };
import pwm from "../../../targets/overlays/pwm.dts" with { type: "text" };
import pwmTwo from "../../../targets/overlays/pwm-2chan.dts" with { type: "text" };
import type { Node } from "../../config/cluster.ts";
import { BerryError } from "../../core/errors.ts";
import type { HostFacts } from "../facts/host-facts.ts";
import type { Step } from "../step.ts";
import type { Target } from "../targets/target.ts";
import { fanFirmware, overlayLine, wantsSound, type Overlay } from "./fan-firmware.ts";
import { fandFailsafeProgram, fandUnit } from "./systemd-units.ts";

const settingsPath = "/etc/berry/fand.toml";
/** Where the daemon leaves its metrics. */
const metricsFolder = "/run/berry";

/** What all nodes share of the fan daemon. It drives nothing unless a node's own settings say so. */
export function fandSteps(target: Target, { berry }: HostFacts, root: string): Step[] {
  if (berry === null) return [];
  const file = (title: string, path: string, mode: number, content: string): Step => ({
    title,
    do: "write",
    root,
    path,
    content,
    mode,
    owner: "0:0",
  });
  const { node_exporter: exporter } = target;
  return [
    // its package brings them
    ...(berry.package !== null
      ? []
      : [
          file("install what raises fans", "/usr/lib/berry/fand-failsafe", 0o755, fandFailsafeProgram),
          file(
            `install ${fandUnit.name}`,
            `/usr/lib/systemd/system/${fandUnit.name}`,
            0o644,
            fandUnit.content,
          ),
        ]),
    file(
      "drive no fan",
      settingsPath,
      0o644,
      '# berry.toml has no [fan] for this node: temperature and throttling are reported all the same\nbackend = "none"\n',
    ),
    ...(exporter === undefined
      ? []
      : [
          file(
            "show node_exporter the metrics",
            `/usr/lib/systemd/system/${exporter.unit}.d/10-berry.conf`,
            0o644,
            exporterDropIn(exporter),
          ),
        ]),
  ];
}

/** The command is said anew: the package's own file of arguments stays the user's. */
function exporterDropIn({
  command,
  arguments: words,
  textfile_folders,
}: NonNullable<Target["node_exporter"]>): string {
  const folders = [...textfile_folders, metricsFolder].map(
    (folder) => `--collector.textfile.directory=${folder}`,
  );
  const note = words.length === 0 ? "" : "# a flag that comes twice keeps node_exporter from starting\n";
  return `${note}[Service]\nExecStart=\nExecStart=${[command, ...words, ...folders].join(" ")}\n`;
}

/**
 * What a node alone has of its fan: the daemon's settings, and what the firmware is told.
 * @throws BerryError `config` where the target's kernel cannot reach the fan
 */
export function fanSteps({ name, image, fan }: Node, target: Target, root: string): Step[] {
  if (fan === null) return [];
  const firmware = fanFirmware(fan.fans, image.configTxt);
  const { overlays, levels, connector } = firmware;
  const { boot } = target;
  refuseUnreachable(name, target, overlays, connector);
  const hasSound =
    boot.overlays === "distribution" && overlays.some((overlay) => overlay.name !== "gpio-fan");
  const lines = [
    ...levels.map(({ pin, level }) => `gpio=${pin}=op,${level === "high" ? "dh" : "dl"}`),
    // the sound output has the same PWM channels
    ...(hasSound && !wantsSound(image.configTxt) ? ["dtparam=audio=off"] : []),
    ...overlays.map(overlayLine),
    ...(connector ? ["[pi5]", "dtparam=cooling_fan=on", "[all]"] : []),
  ];
  const files = [
    `${boot.mount}/config.txt`,
    ...(boot.settings === undefined ? [] : [boot.settings.config_txt_file]),
  ];
  return [
    {
      title: "write fand.toml",
      do: "write",
      root,
      path: settingsPath,
      content: `# Written by berry imager from [fan] in berry.toml. berry fand check says what it comes to.\n${stringify(fan.content).trimEnd()}\n`,
      mode: 0o644,
      owner: "0:0",
    },
    ...(boot.overlays === "berry" ? overlays.flatMap(({ name }) => makeOverlay(name, boot.mount, root)) : []),
    ...(lines.length === 0
      ? []
      : files.map((path): Step => ({
          title: `tell the firmware of the fan in ${path}`,
          do: "add-lines",
          root,
          path,
          // the firmware reads further lines under the last filter it saw
          lines: ["[all]", ...lines],
        }))),
  ];
}

/** A word of the kernel's command line without which a line of its GPIO chip is an input when its process ends. */
export function fanWords({ image, fan }: Node): string[] {
  const keeps = fan !== null && fanFirmware(fan.fans, image.configTxt).keepsOutputs;
  return keeps ? ["pinctrl-bcm2835.persist_gpio_outputs=1"] : [];
}

/** Whether a node's overlays have to be compiled on this host. */
export function makesOverlays({ image, fan }: Node, { boot }: Target): boolean {
  return (
    boot.overlays === "berry" && fan !== null && fanFirmware(fan.fans, image.configTxt).overlays.length > 0
  );
}

const overlaySources: Readonly<Record<Overlay["name"], string>> = {
  pwm,
  "pwm-2chan": pwmTwo,
  "gpio-fan": gpioFan,
};

function makeOverlay(name: Overlay["name"], mount: string, root: string): Step[] {
  const folder = `${mount}/overlays`;
  return [
    {
      title: "make the folder of overlays",
      do: "make-directory",
      root,
      path: folder,
      mode: 0o755,
      owner: "0:0",
    },
    {
      title: `compile the overlay ${name}`,
      do: "run",
      argv: ["dtc", "-@", "-I", "dts", "-O", "dtb", "-o", `${root}${folder}/${name}.dtbo`, "-"],
      stdin: overlaySources[name],
    },
  ];
}

function refuseUnreachable(
  node: string,
  { name, boot }: Target,
  overlays: readonly Overlay[],
  connector: boolean,
): void {
  if (boot.overlays === "none" && (overlays.length > 0 || connector))
    throw new BerryError(
      "config",
      `${node}: the target ${name} does not say where overlays of fans come from`,
      {
        hint: 'add overlays = "distribution" (the Foundation\'s kernel) or "berry" (mainline\'s) to [boot] in the target file',
      },
    );
  if (boot.overlays === "berry" && connector)
    throw new BerryError(
      "config",
      `${node}: the kernel of ${name} does not reach the fan connector of a Pi 5`,
      {
        hint: "name the fan's pin in [fan], set fan = false for this node, or use the target archlinuxarm-rpi-aarch64",
      },
    );
}
