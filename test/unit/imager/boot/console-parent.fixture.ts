/** Starts a program that holds a FIFO open, says when it runs, and waits to be killed: `SETPRIV FIFO`. */
import { startConsoleProcess } from "../../../../src/imager/boot/console-process.ts";

const [setpriv = "", fifo = ""] = process.argv.slice(2);
const environment = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };
const script = 'exec 3>"$0"; echo up; exec sleep 60';
const program = startConsoleProcess(["sh", "-c", script, fifo], setpriv, environment, () => {});
await program.waitForLine(/up/, new AbortController().signal);
process.stdout.write("the program runs\n");
await program.exited;
