import files from "./files.sh" with { type: "text" };
import images from "./images.sh" with { type: "text" };
import packages from "./packages.sh" with { type: "text" };
import trees from "./trees.sh" with { type: "text" };

/** A function of bash, its comment included. */
interface ShellFunction {
  readonly name: string;
  readonly text: string;
}

/** All functions that a script can use, in the order in which they are defined. */
export const shellFunctions: readonly ShellFunction[] = [trees, files, packages, images].flatMap(functionsOf);

/** The functions that `commands` calls, and those that these call, in the order of `shellFunctions`. */
export function functionsFor(commands: string): string[] {
  const used = new Set<string>();
  const visit = (text: string): void => {
    for (const { name, text: body } of shellFunctions) {
      if (used.has(name) || !calls(text, name)) continue;
      used.add(name);
      visit(body.replace(/^#.*$/gm, ""));
    }
  };
  visit(commands);
  return shellFunctions.filter(({ name }) => used.has(name)).map(({ text }) => text);
}

function functionsOf(text: string): ShellFunction[] {
  const matches = text.matchAll(/^(?:#.*\n)*(\w+)\(\) \{\n[^]*?^\}\n/gm);
  return [...matches].map(([whole, name = ""]) => ({ name, text: whole }));
}

/** Where bash takes a word for a command; functions that call others by name have an underscore in theirs. */
function calls(text: string, name: string): boolean {
  const before = name.includes("_")
    ? "(?<![\\w./-])"
    : "(?:^|[|(;&]|\\b(?:if|then|do|else|while|until|!))[ \\t]*";
  return new RegExp(`${before}${name}(?![\\w./=-])`, "m").test(text);
}
