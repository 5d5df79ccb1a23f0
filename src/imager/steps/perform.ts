import { download, usualPatience } from "../download/download.ts";
import type { Step } from "../step.ts";
import { checkInitramfs } from "./check-initramfs.ts";
import { checkLock } from "./check-lock.ts";
import type { StepContext } from "./context.ts";
import { fetchDebs, installDebs, unpackDebs } from "./debs.ts";
import {
  addLinesInRoot,
  copyIntoRoot,
  makeDirectoryInRoot,
  removeInRoot,
  setLineInRoot,
  symlinkInRoot,
  writeInRoot,
} from "./files.ts";
import { listSoftware } from "./list-software.ts";
import { openRoot } from "./mount-root.ts";
import { writeHostKey } from "./host-keys.ts";
import { hideProgram, nativeTools, returnTools } from "./native-tools.ts";
import { packImage } from "./pack.ts";
import { pacmanKeyring, removePackages } from "./pacman.ts";
import { patchImage } from "./patch.ts";
import { chroot, run } from "./run.ts";
import { settle } from "./settle.ts";
import { writeWifi } from "./wifi.ts";

/** Does what a step says, and nothing else. */
export async function perform(step: Step, context: StepContext): Promise<void> {
  switch (step.do) {
    case "download":
      await download(
        {
          url: step.url,
          path: step.to,
          verification: {
            kind: "openpgp",
            signature: step.signature.url,
            fingerprint: step.signature.fingerprint,
            publicKey: step.signature.publicKey,
          },
          maxBytes: null,
        },
        {
          ...usualPatience,
          clock: context.clock,
          random: context.random,
          onProgress: (doneBytes, totalBytes) =>
            context.emit({ event: "progress", step: context.step, doneBytes, totalBytes }),
          onRetry: (reason, waitMilliseconds) =>
            context.emit({
              event: "output",
              step: context.step,
              line: `${reason}: trying again in ${Math.ceil(waitMilliseconds / 1000)} s`,
            }),
          onNotice: (line) => context.emit({ event: "output", step: context.step, line }),
        },
        context.signal,
      );
      return;
    case "run":
      return await run(step, context);
    case "chroot":
      return await chroot(step, context);
    case "open-root":
      return await openRoot(step, context);
    case "make-directory":
      return await makeDirectoryInRoot(step);
    case "write":
      return await writeInRoot(step);
    case "write-wifi":
      return await writeWifi(step);
    case "write-host-key":
      return await writeHostKey(step);
    case "symlink":
      return await symlinkInRoot(step);
    case "copy":
      return await copyIntoRoot(step);
    case "remove":
      return await removeInRoot(step);
    case "set-line":
      return await setLineInRoot(step);
    case "add-lines":
      return await addLinesInRoot(step);
    case "fetch-debs":
      return await fetchDebs(step, context);
    case "unpack-debs":
      return await unpackDebs(step, context);
    case "install-debs":
      return await installDebs(step, context);
    case "native-tools":
      return await nativeTools(step, context);
    case "return-tools":
      return await returnTools(step, context);
    case "check-initramfs":
      return await checkInitramfs(step);
    case "hide-program":
      return await hideProgram(step, context);
    case "pacman-keyring":
      return await pacmanKeyring(step, context);
    case "remove-packages":
      return await removePackages(step, context);
    case "check-lock":
      return await checkLock(step, context);
    case "list-software":
      return await listSoftware(step);
    case "settle":
      return await settle(step, context);
    case "pack-image":
      return await packImage(step, context);
    case "patch-image":
      return await patchImage(step, context);
  }
}
