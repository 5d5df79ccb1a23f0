import { checkHostName } from "../../config/names.ts";
import type { Check } from "../../config/problem.ts";

const countLimit = 250;

/** The names of `3` nodes (pi1, pi2, pi3), or those of a list: `pi1,pi2` or `pi1 pi2`. */
export function expandNodeNames(text: string): readonly string[] {
  if (/^\d+$/.test(text.trim())) return Array.from({ length: Number(text) }, (_, index) => `pi${index + 1}`);
  return text.split(/[\s,]+/).filter((name) => name !== "");
}

/** Judges what `expandNodeNames` takes. */
export const checkNodeNames: Check = (text) => {
  if (/^\d+$/.test(text.trim()) && (Number(text) < 1 || Number(text) > countLimit)) {
    return {
      problem: "not a number of nodes",
      remedy: `use a number from 1 to ${countLimit}, or names such as pi1,pi2`,
    };
  }
  const names = expandNodeNames(text);
  if (names.length === 0) return { problem: "no node", remedy: "give a number, or names such as pi1,pi2" };
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    return { problem: `${twice} is named twice`, remedy: "give every node a name of its own" };
  for (const name of names) {
    const flaw = checkHostName(name);
    if (flaw !== null) return { ...flaw, problem: `${JSON.stringify(name)}: ${flaw.problem}` };
  }
  return null;
};
