import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

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

const { values } = parseArgs({
  options: {
    arch: { type: "string", multiple: true, default: Object.keys(targets) },
    out: { type: "string", default: join(house, "dist") },
  },
});
await mkdir(values.out, { recursive: true });
const built = commit();
for (const architecture of values.arch) {
  if (!isArchitecture(architecture)) {
    throw new Error(`no such architecture: ${architecture}; there are ${Object.keys(targets).join(" and ")}`);
  }
  const outfile = await compile(architecture, resolve(values.out), built);
  console.log(`${outfile}  ${(Bun.file(outfile).size / 1024 / 1024).toFixed(0)} MiB`);
}
