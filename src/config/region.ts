import { nearest } from "../core/nearest.ts";
import type { Check } from "./problem.ts";

/** A name of the IANA time zone database, spelled as its file is. */
export const checkTimezone: Check = (zone) => {
  const problem = "not a time zone";
  const known = Intl.supportedValuesOf("timeZone");
  if (known.includes(zone)) return null;
  const otherCase = known.find((name) => name.toLowerCase() === zone.toLowerCase());
  if (otherCase !== undefined) return { problem, remedy: `did you mean "${otherCase}"?` };
  if (/^[A-Z][A-Za-z0-9]*([/_+-][A-Za-z0-9]+)*$/.test(zone) && isKnownToIntl(zone)) return null;
  const meant = nearest(zone, known) ?? known.find((name) => name.endsWith(`/${zone.replaceAll(" ", "_")}`));
  return {
    problem,
    remedy:
      meant === undefined
        ? 'use an IANA name, such as "Asia/Shanghai"; timedatectl list-timezones prints all'
        : `did you mean "${meant}"?`,
  };
};

/** Old names, such as `Asia/Calcutta`, are valid without being listed. */
function isKnownToIntl(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** A locale as locale.gen(5) spells it: `ll_CC.CODESET`, or `C.UTF-8`. */
export const checkLocale: Check = (locale) => {
  if (locale === "C.UTF-8") return null;
  const problem = "not a locale";
  const parts = /^([a-z]{2,3}_[A-Z]{2})(?:\.([A-Za-z0-9-]+))?(@[a-z]+)?$/.exec(locale);
  if (parts === null) return { problem, remedy: 'use ll_CC.CODESET, such as "en_US.UTF-8", or "C.UTF-8"' };
  const [, place = "", codeset, modifier = ""] = parts;
  if (codeset === undefined || /^utf8$/i.test(codeset) || (/^utf-8$/i.test(codeset) && codeset !== "UTF-8")) {
    return { problem, remedy: `did you mean "${place}.UTF-8${modifier}"?` };
  }
  return null;
};

/** A console keymap: the name of a file under /usr/share/kbd/keymaps, without its ending. */
export const checkKeymap: Check = (keymap) => {
  if (/^[A-Za-z0-9][A-Za-z0-9_@.-]{0,63}$/.test(keymap)) return null;
  return {
    problem: "not a keymap",
    remedy: 'use a name such as "us" or "de-latin1"; localectl list-keymaps prints all',
  };
};

/** ISO 3166-1 alpha-2, as the regulatory database wants it. */
export const checkCountry: Check = (country) => {
  if (/^[A-Z]{2}$/.test(country)) return null;
  const upper = country.toUpperCase();
  return {
    problem: "not a country code",
    remedy: /^[A-Z]{2}$/.test(upper)
      ? `did you mean "${upper}"?`
      : 'use the two upper-case letters of ISO 3166, such as "CN" or "DE"',
  };
};
