import archLinuxArmKey from "../../../targets/archlinuxarm.asc" with { type: "text" };
import archLinuxArm from "../../../targets/archlinuxarm-rpi-aarch64.toml" with { type: "toml" };
import debian from "../../../targets/debian-arm64.toml" with { type: "toml" };

/** A target file that is part of berry. */
export interface ShippedTarget {
  /** Name of the file in `targets/`. */
  readonly file: string;
  /** As the file says it; not validated. */
  readonly content: unknown;
  /** The key files beside it, by name. */
  readonly keys: Readonly<Record<string, string>>;
}

/** Every file of `targets/`, by the name of its target. */
export const shippedTargets: Readonly<Record<string, ShippedTarget>> = {
  "archlinuxarm-rpi-aarch64": {
    file: "archlinuxarm-rpi-aarch64.toml",
    content: archLinuxArm,
    keys: { "archlinuxarm.asc": archLinuxArmKey },
  },
  "debian-arm64": { file: "debian-arm64.toml", content: debian, keys: {} },
};
