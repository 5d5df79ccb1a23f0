import { closeSync, constants, openSync, readSync } from "node:fs";
import { codeOf } from "../../core/errors.ts";
import type { SensorSettings } from "../config/settings.ts";
import { findSensor } from "./find-sensor-file.ts";
import type { Reading } from "./judge-reading.ts";

export interface Sensor {
  /** Never throws, and never waits: what cannot be read is said. */
  read(): Reading;
  dispose(): void;
}

interface Opened {
  readonly input: number;
  readonly fault: number | null;
}

/**
 * A sensor whose files stay open: one pread(2) a reading, two where there is a fault flag. A sensor that has vanished
 * is looked for again at every reading. A plain file is opened anew each time, as it may be replaced by another.
 */
export function openSensor(settings: SensorSettings, sys: string): Sensor {
  const { source } = settings;
  const buffer = Buffer.alloc(64);
  let opened: Opened | null = null;

  const textOf = (file: number): string => buffer.toString("latin1", 0, readSync(file, buffer, 0, 64, 0));
  const close = (): void => {
    if (opened === null) return;
    closeQuietly(opened.input);
    if (opened.fault !== null) closeQuietly(opened.fault);
    opened = null;
  };
  const readOpened = (): Reading => {
    if (opened === null) {
      const found = findSensor(source, sys);
      if (!found.isFound) return { kind: "missing", why: found.why };
      const input = openQuickly(found.input);
      // kept before the next may fail, so that it is closed
      opened = { input, fault: null };
      if (found.fault !== null) opened = { input, fault: openQuickly(found.fault) };
    }
    const isFaulty = opened.fault !== null && textOf(opened.fault).trim() === "1";
    return { kind: "text", text: textOf(opened.input), isFaulty };
  };

  return {
    read() {
      const isFresh = opened === null;
      try {
        return readOpened();
      } catch (thrown) {
        close();
        // it may be there still, under another number
        if (isFresh) return unreadable(thrown);
        try {
          return readOpened();
        } catch (again) {
          close();
          return unreadable(again);
        }
      } finally {
        if (source.kind === "file") close();
      }
    },
    dispose: close,
  };
}

/** A FIFO does not keep it waiting. */
function openQuickly(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

function closeQuietly(file: number): void {
  try {
    closeSync(file);
  } catch {
    // it is gone already
  }
}

function unreadable(thrown: unknown): Reading {
  const code = codeOf(thrown) ?? String(thrown);
  const kind = ["ENOENT", "ENOTDIR", "ENODEV", "ENXIO"].includes(code) ? "missing" : "unreadable";
  return { kind, why: thrown instanceof Error ? thrown.message : code };
}
