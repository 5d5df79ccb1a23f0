import type { Node } from "../../config/cluster.ts";
import type { HostFacts } from "../facts/host-facts.ts";
import type { Step } from "../step.ts";
import type { Target } from "../targets/target.ts";

/** Time zone, and how old the clock can be at most. */
export function timeSteps({ image }: Node, root: string): Step[] {
  return [
    {
      title: `set the time zone ${image.timezone}`,
      do: "symlink",
      root,
      path: "/etc/localtime",
      target: `/usr/share/zoneinfo/${image.timezone}`,
    },
    // a Pi has no clock: systemd starts no earlier than this file's date (systemd(1), /usr/lib/clock-epoch)
    {
      title: "set the earliest date",
      do: "write",
      root,
      path: "/usr/lib/clock-epoch",
      content: "",
      mode: 0o644,
      owner: "0:0",
    },
  ];
}

/** Language, its locales, and the console's keys. */
export function localeSteps({ image }: Node, target: Target, facts: HostFacts, root: string): Step[] {
  const generated = [...new Set([image.locale, ...image.locales])].filter(
    (locale) => !/^(C|POSIX)(\.|$)/.test(locale),
  );
  const lines = generated.map((locale) => `${locale} ${locale.split(".")[1]?.split("@")[0] ?? "UTF-8"}`);
  return [
    ...(generated.length === 0
      ? []
      : ([
          {
            title: "choose locales",
            do: "write",
            root,
            path: "/etc/locale.gen",
            content: `${lines.join("\n")}\n`,
            mode: 0o644,
            owner: "0:0",
          },
          ...generateLocales(generated, facts, root),
        ] as const)),
    {
      title: `set the locale ${image.locale}`,
      do: "write",
      root,
      path: "/etc/locale.conf",
      content: `LANG=${image.locale}\n`,
      mode: 0o644,
      owner: "0:0",
    },
    ...keymapFiles(image.keymap, target).map(([path, content]): Step => ({
      title: `set the keymap ${image.keymap}`,
      do: "write",
      root,
      path,
      content,
      mode: 0o644,
      owner: "0:0",
    })),
  ];
}

/**
 * The host's localedef reads the image's own sources and takes a second where an emulated one takes 40;
 * a program of the image then says whether it can read the result.
 */
function generateLocales(locales: readonly string[], facts: HostFacts, root: string): Step[] {
  if (facts.programs["localedef"] === undefined)
    return [{ title: `generate ${locales.join(", ")}`, do: "chroot", root, argv: ["locale-gen"] }];
  return [
    {
      title: "make the folder of locales",
      do: "make-directory",
      root,
      path: "/usr/lib/locale",
      mode: 0o755,
      owner: "0:0",
    },
    ...locales.flatMap((locale): Step[] => {
      const [, language = "", charmap = "UTF-8", modifier = ""] =
        /^([^.@]+)(?:\.([^@]+))?(@.+)?$/.exec(locale) ?? [];
      return [
        {
          title: `generate ${locale}`,
          do: "run",
          // I18NPATH is a list, separated by colons, and the root's own path may have one
          argv: [
            "env",
            `--chdir=${root}`,
            "I18NPATH=usr/share/i18n",
            "localedef",
            `--prefix=${root}`,
            "--little-endian",
            "--force",
            `--inputfile=${language}${modifier}`,
            `--charmap=${charmap}`,
            locale,
          ],
        },
        {
          title: `try ${locale}`,
          do: "chroot",
          root,
          argv: ["locale", "charmap"],
          env: { LC_ALL: locale },
          warnAbout: "Cannot set LC_",
        },
      ];
    }),
  ];
}

/** vconsole.conf(5); Debian's console-setup reads keyboard(5), whose layouts are named by country as xkb names them. */
function keymapFiles(keymap: string, target: Target): (readonly [string, string])[] {
  const console = ["/etc/vconsole.conf", `KEYMAP=${keymap}\n`] as const;
  if (target.family !== "apt") return [console];
  const layout = keymap === "uk" ? "gb" : (keymap.split("-")[0] ?? keymap);
  return [
    console,
    [
      "/etc/default/keyboard",
      `XKBMODEL="pc105"\nXKBLAYOUT="${layout}"\nXKBVARIANT=""\nXKBOPTIONS=""\nBACKSPACE="guess"\n`,
    ],
  ];
}
