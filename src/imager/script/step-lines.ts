import { dpkgArgv } from "../steps/debs.ts";
import type { Chroot, DiskIdentity, PasswordLine, Run, Step, WriteWifi } from "../step.ts";
import { wpaSupplicantConf } from "../formats/wpa-supplicant-conf.ts";
import { commandLine, comment, feed, word } from "./quote.ts";
import type { Variable } from "./quote.ts";

/** What a step's commands may name. */
export interface Scope {
  readonly variables: readonly Variable[];
  /** The environment variable that brings a password's hash. */
  readonly hashVariable: (hash: string) => string;
}

/** The commands of one step under its title. */
export function stepLines(step: Step, scope: Scope): string {
  return `${comment(step.title)}\n${commandsOf(step, scope)}`;
}

function commandsOf(step: Step, scope: Scope): string {
  const call = (...argv: readonly string[]): string => commandLine(argv, scope.variables);
  switch (step.do) {
    case "download": {
      const { url, fingerprint, publicKey } = step.signature;
      const command = call("download", step.url, step.to, url, fingerprint);
      if ("armoured" in publicKey) return feed(command, endedLine(publicKey.armoured));
      return `${call("fetch", publicKey.url, `${step.to}.asc`)}\n${command} <${word(`${step.to}.asc`, scope.variables)}`;
    }
    case "run":
      return run(step, scope);
    case "chroot":
      return chroot(step, scope);
    case "open-root":
      return call("open_root", step.root);
    case "make-directory":
      return call("make_directory", step.root, step.path, octal(step.mode), step.owner);
    case "write":
      return feed(call("write_file", step.root, step.path, octal(step.mode), step.owner), step.content);
    case "write-wifi":
      return writeWifi(step, scope);
    case "write-host-key":
      return call("write_host_key", step.source, step.root, step.path);
    case "symlink":
      return call("link_to", step.root, step.path, step.target);
    case "copy":
      return call("copy_file", step.source, step.sha256, step.root, step.path, octal(step.mode), step.owner);
    case "remove":
      return call("remove", step.root, ...step.paths);
    case "set-line":
      return call("set_line", step.root, step.path, step.startsWith, step.line);
    case "add-lines":
      return call("add_lines", step.root, step.path, ...step.lines);
    case "fetch-debs":
      return call("fetch_debs", step.config, step.archives, step.into, step.except ?? "", ...step.packages);
    case "unpack-debs":
      return call("unpack_debs", step.from, step.into);
    case "install-debs": {
      const dpkg = `env "\${image_environment[@]}" ${call(...dpkgArgv(step.root))}`;
      if (step.action === "configure") return `${dpkg} --configure --pending`;
      const folder = word(step.action.unpack, scope.variables);
      return `if has_files ${folder}; then\n    ${dpkg} --no-triggers --unpack --recursive ${folder}\nfi`;
    }
    case "native-tools":
      return call("native_tools", step.root, step.tools, step.libraries, ...step.except);
    case "return-tools":
      return call("return_tools", step.root, step.libraries, ...step.keep, "--", ...step.withoutLibraries);
    case "check-initramfs":
      return call("check_initramfs", step.root, step.folder);
    case "hide-program":
      return call(step.shown ? "show_program" : "hide_program", step.root, step.path);
    case "pacman-keyring":
      return call("pacman_keyring", step.root, step.keyring, step.folder);
    case "remove-packages": {
      const inside = step.emulated ? ["in_image", step.root] : [];
      return call("remove_packages", step.root, ...step.packages, "--", ...inside, ...step.argv);
    }
    case "check-lock":
      return comment("berry imager bake --locked alone compares");
    case "list-software": {
      const { files } = step;
      const note = call("list_software", step.root, step.database, step.into);
      switch (files.kind) {
        case "none":
          return note;
        case "file":
          return call("list_software", step.root, step.database, step.into, files.path);
        case "folders":
          return `${note} ${files.folders.map((folder) => `${word(folder, scope.variables)}/*`).join(" ")}`;
        case "pacman":
          return `${note}\n${call("digest_installed", files.cache, files.upper, step.into)}`;
      }
    }
    case "settle":
      return call(
        "settle",
        step.root,
        String(step.epochSeconds),
        ...(step.upper === null ? [] : [step.upper]),
      );
    case "pack-image":
      return call(
        "pack_image",
        step.root,
        step.bootMount,
        step.image,
        String(step.bootBytes),
        String(step.marginBytes),
        ...(step.settled === undefined ? [] : [String(step.settled.epochSeconds), step.settled.rootUuid]),
      );
    case "patch-image": {
      const { base, image, upper, bootMount, bootBytes, lower } = step;
      return call(
        "patch_image",
        base,
        image,
        upper,
        bootMount,
        String(bootBytes),
        ...identityWords(step.identity),
        ...lower,
      );
    }
  }
}

function run({ argv, env, stdin, warnAbout }: Run, { variables }: Scope): string {
  const words = [
    ...(warnAbout === undefined ? [] : ["warn_about", warnAbout]),
    ...(env === undefined ? [] : ["env", ...assignments(env)]),
    ...argv,
  ];
  const command = commandLine(words, variables);
  return stdin === undefined ? command : feed(command, stdin);
}

function chroot({ missingHint, ...step }: Chroot, scope: Scope): string {
  if (missingHint === undefined) return inImage(step, scope);
  const required = commandLine(
    ["require_program", step.root, step.argv[0] ?? "", missingHint],
    scope.variables,
  );
  return `${required}\n${inImage(step, scope)}`;
}

function inImage({ root, argv, env, stdin, warnAbout }: Omit<Chroot, "missingHint">, scope: Scope): string {
  const words = [
    ...(warnAbout === undefined ? [] : ["warn_about", warnAbout]),
    "in_image",
    ...assignments(env ?? {}),
    root,
    ...argv,
  ];
  const command = commandLine(words, scope.variables);
  if (stdin === undefined) return command;
  return typeof stdin === "string" ? feed(command, stdin) : `${passwordLine(stdin, scope)} | ${command}`;
}

function passwordLine(line: PasswordLine, scope: Scope): string {
  if ("passwordFile" in line) return commandLine(["password_line", line.user, line.passwordFile]);
  return `printf '%s:%s\\n' ${word(line.user)} "$${scope.hashVariable(line.passwordHash)}"`;
}

/** The key stands for itself alone: between quotes of a here-document that expands, all else is escaped. */
function writeWifi({ root, path, wifi }: WriteWifi, scope: Scope): string {
  const place = commandLine(["write_file", root, path, "0600", "0:0"], scope.variables);
  if (wifi.pskFile === null || wifi.security === "open") return feed(place, wpaSupplicantConf(wifi, ""));
  const source =
    wifi.security === "wpa3" ? ["first_line", wifi.pskFile] : ["wifi_key", wifi.ssid, wifi.pskFile];
  const mark = "\0";
  const content = wpaSupplicantConf(wifi, mark)
    .replace(/[\\$`]/g, String.raw`\$&`)
    .replace(mark, "$key");
  return [`key=$(${commandLine(source)})`, `${place} <<EOF`, `${content}EOF`, "unset key"].join("\n");
}

function identityWords({ diskSignature, bootVolumeId, rootUuid }: DiskIdentity): string[] {
  return [diskSignature, bootVolumeId, rootUuid];
}

function assignments(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function endedLine(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
