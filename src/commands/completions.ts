import { completionScripts, type Shell } from "../cli/completion-scripts.ts";
import { defineVerb } from "../cli/verb.ts";
import { BerryError } from "../core/errors.ts";

const places: Readonly<Record<Shell, string>> = {
  bash: "~/.local/share/bash-completion/completions/berry",
  zsh: "a folder of $fpath, as _berry",
  fish: "~/.config/fish/completions/berry.fish",
};

/** `berry completions SHELL`: what makes a shell complete berry's commands, nodes, targets and cards. */
export const completions = defineVerb({
  description: "print what makes bash, zsh or fish complete berry's commands, nodes, targets and cards",
  examples: ["berry completions bash", "berry completions zsh", "berry completions fish"],
  args: { shell: { type: "positional", required: true, description: "bash, zsh or fish" } },
  run({ args, json, stdout }) {
    if (!Object.hasOwn(completionScripts, args.shell))
      throw new BerryError("usage", `no completions for ${args.shell}`, {
        hint: "there are bash, zsh and fish",
      });
    // checked just now
    const shell = args.shell as Shell;
    const script = completionScripts[shell];
    stdout.write(json ? `${JSON.stringify({ shell, place: places[shell], script })}\n` : script);
  },
});
