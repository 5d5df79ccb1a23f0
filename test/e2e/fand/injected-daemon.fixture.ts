import { startDaemon } from "../../../src/commands/fand/daemon-process.ts";

/** The daemon, and the ways of dying that no signal of the system's brings about. */

process.on("SIGUSR1", () => {
  setTimeout(() => {
    throw new Error("thrown by the test");
  });
});
process.on("SIGUSR2", () => {
  void Promise.reject(new Error("rejected by the test"));
});
process.on("SIGWINCH", () => {
  for (;;);
});
await startDaemon(process.argv[2]);
