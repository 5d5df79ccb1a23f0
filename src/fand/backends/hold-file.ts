import { BerryError } from "../../core/errors.ts";
import { type Attribute, openAttribute } from "./attribute-file.ts";

/** Attributes that somebody else may change while a fan is driven, such as `enable`. */
export interface Hold {
  /** @returns whether all of them are as they have to be: one pread(2) each */
  isKept(): boolean;
  /** @throws BerryError `io` naming one that is not as it has to be */
  mustBeKept(): void;
  dispose(): void;
}

/**
 * Keeps them open from the first look on. One that its driver does not let be read is taken to be as it has to be.
 * @param wanted by path; null: what it is at the first look, as a driver may round what it is told
 */
export function holdAttributes(wanted: Readonly<Record<string, number | null>>): Hold {
  let opened: readonly (readonly [path: string, value: number, attribute: Attribute])[] | null = null;
  const strayed = () => {
    opened ??= Object.entries(wanted).flatMap(([path, value]) => {
      const attribute = readable(path);
      return attribute === null ? [] : [[path, value ?? attribute.read(), attribute] as const];
    });
    return opened.find(([, value, attribute]) => attribute.read() !== value);
  };
  return {
    isKept: () => strayed() === undefined,
    mustBeKept() {
      const [path, value, attribute] = strayed() ?? [];
      if (path === undefined) return;
      throw new BerryError(
        "io",
        `${path}: does not follow: ${value} was written, ${attribute?.read()} is read`,
        {
          hint: "see which other program or driver owns this fan",
        },
      );
    },
    dispose() {
      for (const [, , attribute] of opened ?? []) attribute.dispose();
      opened = null;
    },
  };
}

function readable(path: string): Attribute | null {
  try {
    return openAttribute(path);
  } catch (thrown) {
    if (thrown instanceof BerryError && thrown.kind === "no-permission") return null;
    throw thrown;
  }
}
