import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseOptions } from "./parse-options.ts";

/**
 * Compiles berry: `bun scripts/build.ts [--arch x86_64|aarch64]… [--out FOLDER]`; both architectures into dist/ by default.
 * The folder in which the binary runs does not influence it: no .env, bunfig.toml, tsconfig.json or package.json is read.
 */
const targets = { x86_64: "bun-linux-x64", aarch64: "bun-linux-arm64" } as const;
type Architecture = keyof typeof targets;

const house = resolve(import.meta.dir, "..");

function git(...words: string[]): string | null {
  if (Bun.which("git") === null) return null;
  const { success, stdout } = Bun.spawnSync(["git", "-C", house, ...words], { stderr: "ignore" });
  return success ? stdout.toString().trim() : null;
}

/** Twelve digits of the hash (git alone would take more of them in a larger clone), with `-dirty` where tracked files differ from it; `unknown` outside a repository or without git. */
function commit(): string {
  const hash = git("rev-parse", "--short=12", "HEAD");
  if (hash === null) return "unknown";
  return git("status", "--porcelain", "--untracked-files=no") === "" ? hash : `${hash}-dirty`;
}

async function compile(architecture: Architecture, folder: string, built: string): Promise<string> {
  const outfile = join(folder, `berry-${architecture}`);
  await Bun.build({
    entrypoints: [join(house, "src/main.ts")],
    target: "bun",
    format: "esm",
    minify: true,
    // a verb loads its own modules alone: the fan daemon needs half the memory for it
    splitting: true,
    bytecode: true,
    define: { BERRY_COMMIT: JSON.stringify(built) },
    compile: {
      target: targets[architecture],
      outfile,
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
  return outfile;
}

function isArchitecture(name: string): name is Architecture {
  return Object.hasOwn(targets, name);
}

const usage = `scripts/build [--arch ARCHITECTURE]… [--out FOLDER]

  --arch ARCHITECTURE   ${Object.keys(targets).join(" or ")} alone
  --out FOLDER          where the programs go (dist)
`;

/** @throws Error that says what is wrong with the words */
function parse(words: string[]) {
  const { values } = parseOptions({
    args: words,
    options: {
      arch: { type: "string", multiple: true, default: Object.keys(targets) },
      out: { type: "string", default: join(house, "dist") },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const architectures = values.arch.map((name) => {
    if (!isArchitecture(name))
      throw new Error(`no such architecture: ${name}; there are ${Object.keys(targets).join(" and ")}`);
    return name;
  });
  return { architectures, folder: resolve(values.out), help: values.help };
}

function complain(error: unknown, hint: string): void {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}\nhint: ${hint}`);
}

async function main(): Promise<number> {
  let asked: ReturnType<typeof parse>;
  try {
    asked = parse(process.argv.slice(2));
  } catch (error) {
    complain(error, "scripts/build --help");
    return 64;
  }
  const { architectures, folder, help } = asked;
  if (help) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    complain(error, "name another folder with --out");
    return 73;
  }
  const built = commit();
  for (const architecture of architectures) {
    const outfile = await compile(architecture, folder, built);
    console.log(`${outfile}  ${(Bun.file(outfile).size / 1024 / 1024).toFixed(0)} MiB`);
  }
  return 0;
}

process.exitCode = await main();
