import { describe, expect, test } from "bun:test";
import { run } from "./fakes.ts";
import { globalArguments } from "../../../src/cli/arguments.ts";
import type { Command, Entry, Group, Verb } from "../../../src/cli/verb.ts";
import { berry } from "../../../src/main.ts";

interface Found {
  readonly path: readonly string[];
  readonly command: Command;
  readonly entry: Entry | null;
}

async function everyCommand(
  command: Command,
  path: readonly string[],
  entry: Entry | null,
): Promise<readonly Found[]> {
  const own = [{ path, command, entry }];
  if (command.kind === "verb") return own;
  const below = await Promise.all(
    Object.entries(command.commands).map(async ([name, each]) =>
      everyCommand(await each.load(), [...path, name], each),
    ),
  );
  return [...own, ...below.flat()];
}

/** The same tree, of which no verb does anything. */
function idle(command: Command): Command {
  if (command.kind === "verb") return { ...command, run: () => undefined } satisfies Verb;
  const commands = Object.entries(command.commands).map(([name, entry]): [string, Entry] => [
    name,
    { ...entry, load: async () => idle(await entry.load()) },
  ]);
  return { ...command, commands: Object.fromEntries(commands) } satisfies Group;
}

const commands = await everyCommand(berry, ["berry"], null);
const idleBerry = idle(berry) as Group;

describe.each(commands.map(({ path, command, entry }) => [path.join(" "), command, entry] as const))(
  "%s",
  (path, command, entry) => {
    test("is described with the same words in its group", () => {
      expect(command.description).toBe(entry?.description ?? command.description);
      expect(command.description).toMatch(/^[a-zA-Z].*[^.]$/);
    });
    test("has examples that the command line accepts", async () => {
      for (const example of command.examples) {
        const [program, ...words] = example.split(" ");
        expect(program).toBe("berry");
        const { exitCode, stderr } = await run(words, idleBerry);
        expect({ example, exitCode, stderr }).toEqual({ example, exitCode: 0, stderr: "" });
      }
    });
    test("explains each of its arguments, and redefines no flag of every command", () => {
      const args = command.kind === "verb" ? Object.entries(command.args) : [];
      for (const [name, definition] of args) {
        expect({
          name,
          explained: (definition.description ?? "") !== "",
        }).toEqual({ name, explained: true });
        expect(Object.keys(globalArguments)).not.toContain(name);
      }
    });
    test("has the help that was last agreed on", async () => {
      const { stdout } = await run([...path.split(" ").slice(1), "--help"], berry);
      expect(stdout).toMatchSnapshot();
    });
  },
);

test("help loads neither zod nor openpgp: no role is loaded for it", () => {
  const script = `
    const { berry } = await import("./src/main.ts");
    const { renderHelp } = await import("./src/cli/help.ts");
    renderHelp(berry, "berry", false);
    const loaded = Object.keys(require.cache).filter((path) => /\\/(zod|openpgp|c12|consola)\\/|src\\/(imager|config|commands)\\//.test(path));
    console.log(JSON.stringify(loaded));
  `;
  const house = new URL("../../..", import.meta.url).pathname;
  const ran = Bun.spawnSync([process.execPath, "-e", script], { cwd: house });
  expect(ran.stdout.toString() + ran.stderr.toString()).toBe("[]\n");
});

test("a slip among verbs of which none takes a node is not said to be one", async () => {
  const { exitCode, stderr } = await run(["fand", "chek"], idleBerry);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 64,
    stderr: "error: unknown command 'chek' of berry fand\nhint: did you mean berry fand check?\n",
  });
});
