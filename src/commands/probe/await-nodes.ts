import type { Discovery, DiscoveryRequest } from "../../probe/discovery-port.ts";
import { follow } from "../../probe/follow.ts";
import { type Ask, look } from "../../probe/look.ts";
import type { Heard } from "../../probe/rows/group-sightings.ts";
import { systemClock } from "../../system/clock.ts";
import type { Found } from "./look-once.ts";

const patience = { everyMilliseconds: 1000, forgetMilliseconds: Infinity };
const firstLookMilliseconds = 1000;

/**
 * Waits until enough live: one look, which is quicker than any waiting, and then as long as the request allows.
 * @returns what is known when enough live, or when the time is over
 */
export async function awaitNodes(
  request: DiscoveryRequest,
  ports: { readonly discovery: Discovery; readonly ask: Ask },
  isEnough: (heard: readonly Heard[]) => boolean,
  signal: AbortSignal,
): Promise<Found> {
  const began = performance.now();
  const firstLook = Math.min(firstLookMilliseconds, request.timeoutMilliseconds);
  const { heard: first, report } = await look(
    { ...request, timeoutMilliseconds: firstLook },
    ports,
    isEnough,
    signal,
  );
  const left = request.timeoutMilliseconds - (performance.now() - began);
  const warnings = report?.warnings ?? [];
  if (isEnough(first) || left <= 0) return { heard: first, warnings };
  let latest = first;
  const over = new AbortController();
  const alarm = setTimeout(() => over.abort(), left);
  try {
    await follow(
      request,
      { ...ports, clock: systemClock },
      { ...patience, known: first },
      (heard) => {
        latest = heard;
        if (isEnough(heard)) over.abort();
      },
      AbortSignal.any([signal, over.signal]),
    );
  } catch (thrown) {
    signal.throwIfAborted();
    if (!over.signal.aborted) throw thrown;
  } finally {
    clearTimeout(alarm);
  }
  return { heard: latest, warnings };
}
