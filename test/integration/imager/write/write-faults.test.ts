import { mkdtemp, rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { DataExtent, Extent, ImageMap } from "../../../../src/imager/source/image-map.ts";
import { openImage } from "../../../../src/imager/source/open-image.ts";
import type { WriteEvent } from "../../../../src/imager/write/write-event.ts";
import { makeCardImage } from "../../../fixtures/cards/card-image.ts";
import type { Fault, Onset } from "../../../fixtures/cards/fault.ts";
import { openFaultyCard, type FaultyCard } from "../../../fixtures/cards/faulty-card.ts";
import {
  bytesOf,
  differences,
  sha256,
  writeCards,
  type EventOf,
  type WrittenCards,
} from "../../../fixtures/cards/write-verb.ts";

const mib = 1 << 20;
const imageBytes = 96 * mib;
const cardBytes = 112 * mib;
const notVerified = 76;
const inputOutput = 74;
const signal = new AbortController().signal;

let scratch = "";
let image = "";
let map: ImageMap;
beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/berry-test-");
  image = await makeCardImage(
    scratch,
    "pi",
    { sizeBytes: imageBytes, bootFileBytes: 8 * mib, rootFileBytes: 12 * mib, blockBytes: 1024 },
    signal,
  );
  await using open = await openImage(image, { bmap: null }, signal);
  map = open.map;
}, 60_000);
afterAll(async () => await rm(scratch, { recursive: true, force: true }));

/** Everything that has to be on a card, in order. */
function mapped(): Extent[] {
  return [...map.data, ...map.zeros].toSorted((one, other) => one.offsetBytes - other.offsetBytes);
}

async function openCards(
  stack: AsyncDisposableStack,
  faults: readonly (Fault | null)[],
  onset: Onset = {},
): Promise<FaultyCard[]> {
  const cards: FaultyCard[] = [];
  for (const fault of faults)
    cards.push(stack.use(await openFaultyCard({ sizeBytes: cardBytes, fault, onset })));
  return cards;
}

/** Found by reading back, with a place that the fault touched and digests that are true. */
async function expectMismatch(
  end: EventOf<"verified" | "failed">,
  card: FaultyCard,
  place: Extent | null,
): Promise<string> {
  if (end.event !== "failed") throw new Error(`${card.device} was reported as verified`);
  expect(end.kind).toBe("not-verified");
  const { mismatch } = end;
  if (mismatch === null) throw new Error(`no mismatch is told: ${end.message}`);
  expect(mismatch.expected).not.toBe(mismatch.found);
  expect(mismatch.expected).toMatch(/^[0-9a-f]{64}$/);
  expect(mismatch.found).toMatch(/^[0-9a-f]{64}$/);
  if (mismatch.offsetBytes + mismatch.lengthBytes <= imageBytes)
    expect(mismatch.expected).toBe(sha256(await bytesOf(image, mismatch)));
  if (place !== null) {
    expect(mismatch.offsetBytes).toBeLessThan(place.offsetBytes + place.lengthBytes);
    expect(mismatch.offsetBytes + mismatch.lengthBytes).toBeGreaterThan(place.offsetBytes);
  }
  // Nothing starts from a card that failed.
  expect(sha256(await bytesOf(card.memory, { offsetBytes: 510, lengthBytes: 2 }))).not.toBe(
    sha256(Buffer.from([0x55, 0xaa])),
  );
  return mismatch.cause;
}

async function expectUnharmed(written: WrittenCards, card: FaultyCard): Promise<void> {
  expect(written.end(card).event).toBe("verified");
  expect(await differences(image, card.memory, mapped())).toEqual([]);
}

/** Bytes in each kind of place: by a name, a function, as the image is made later than the table. */
const places: readonly (readonly [string, () => number])[] = [
  ["the partition table", () => 446],
  ["the first MiB of the boot partition", () => mib + 1234],
  ["the middle", () => middleOf(longest())],
  ["zeros that a file system needs", () => middleOf(map.zeros[0] ?? never("zeros"))],
  ["the last extent", () => lastByteOf(mapped().at(-1) ?? never("extents"))],
  ["a cleared signature at the end of the card", () => cardBytes - 1000],
];

function longest(): DataExtent {
  return map.data.reduce((one, other) => (one.lengthBytes >= other.lengthBytes ? one : other));
}

function middleOf({ offsetBytes, lengthBytes }: Extent): number {
  return offsetBytes + Math.floor(lengthBytes / 2);
}

function lastByteOf({ offsetBytes, lengthBytes }: Extent): number {
  return offsetBytes + lengthBytes - 1;
}

function never(what: string): never {
  throw new Error(`the image has no ${what}`);
}

function sectorOf(offsetBytes: number): Extent {
  return { offsetBytes: offsetBytes - (offsetBytes % 512), lengthBytes: 512 };
}

describe("a bad place on a card", () => {
  test.each(places)("in %s is found: bits that turn, a write that was dropped", async (_, place) => {
    await using stack = new AsyncDisposableStack();
    const offsetBytes = place();
    const [reading, writing, dropping, good] = (await openCards(stack, [
      { fault: "bit-flip-on-read", offsetBytes, bit: 3 },
      { fault: "bit-flip-on-write", offsetBytes, bit: 0 },
      { fault: "dropped-writes", ...sectorOf(offsetBytes) },
      null,
    ])) as [FaultyCard, FaultyCard, FaultyCard, FaultyCard];
    const written = await writeCards(image, [reading, writing, dropping, good], {}, signal);
    const at = { offsetBytes, lengthBytes: 1 };
    expect(await expectMismatch(written.end(reading), reading, at)).toContain("1 bit is wrong");
    expect(await expectMismatch(written.end(writing), writing, at)).toContain("1 bit is wrong");
    expect(await expectMismatch(written.end(dropping), dropping, at)).toContain(
      "did not keep what was written",
    );
    await expectUnharmed(written, good);
    expect(written.exitCode).toBe(notVerified);
  });

  test.each(places)("in %s is told when reading or writing it fails", async (_, place) => {
    await using stack = new AsyncDisposableStack();
    const extent = sectorOf(place());
    const [writing, reading, good] = (await openCards(stack, [
      { fault: "write-error", ...extent },
      null,
      null,
    ])) as [FaultyCard, FaultyCard, FaultyCard];
    // Not before it is verified: what is read before that is looked at for old signatures.
    const onEvent = (event: WriteEvent): void => {
      if (event.event === "progress" && event.phase === "flushing" && event.device === reading.device)
        void reading.begin({ fault: "read-error", ...extent });
    };
    const written = await writeCards(image, [writing, reading, good], { onEvent }, signal);
    for (const card of [writing, reading]) {
      const end = written.end(card);
      expect(end).toMatchObject({ event: "failed", kind: "io", mismatch: null });
    }
    await expectUnharmed(written, good);
    expect(written.exitCode).toBe(inputOutput);
  });
});

describe("a card as a whole", () => {
  test("that is silently read-only is not verified", async () => {
    await using stack = new AsyncDisposableStack();
    const [card] = (await openCards(stack, [{ fault: "silently-read-only" }])) as [FaultyCard];
    const written = await writeCards(image, [card], {}, signal);
    expect(await expectMismatch(written.end(card), card, null)).toContain("did not keep what was written");
    expect(written.exitCode).toBe(notVerified);
  });

  test("that stops keeping what is written half-way is not verified", async () => {
    await using stack = new AsyncDisposableStack();
    const [card, good] = (await openCards(stack, [{ fault: "silently-read-only" }, null], {
      writtenBytes: 10 * mib,
    })) as [FaultyCard, FaultyCard];
    await good.begin(null);
    const written = await writeCards(image, [card, good], {}, signal);
    expect(await expectMismatch(written.end(card), card, null)).toContain("did not keep what was written");
    await expectUnharmed(written, good);
  });

  test.each([32, 48, 64])(
    "that wraps after %d MiB, within the image, is told of its size",
    async (realMib) => {
      await using stack = new AsyncDisposableStack();
      const [card] = (await openCards(stack, [{ fault: "wraps", realBytes: realMib * mib }])) as [FaultyCard];
      const written = await writeCards(image, [card], {}, signal);
      expect(await expectMismatch(written.end(card), card, null)).toMatch(
        /lies about its size|smaller than it says/,
      );
      expect(written.exitCode).toBe(notVerified);
    },
  );

  test.each([
    { fault: "zeros-beyond", realBytes: 20 * mib },
    { fault: "zeros-beyond", realBytes: 72 * mib },
    { fault: "zeros-beyond", realBytes: 100 * mib },
    { fault: "zeros-beyond", realBytes: 128 * mib },
    { fault: "zeros-beyond", realBytes: 255 * mib },
    { fault: "wraps", realBytes: 128 * mib },
  ] as const)(
    "that has less memory than it says, also behind the image, is told of its size: %o",
    async (fault) => {
      await using card = await openFaultyCard({ sizeBytes: 256 * mib, fault });
      const written = await writeCards(image, [card], {}, signal);
      expect(await expectMismatch(written.end(card), card, null)).toContain("lies about its size");
      expect(written.exitCode).toBe(notVerified);
    },
  );

  test("that is good keeps what lies behind the image, but for old signatures at its end", async () => {
    await using card = await openFaultyCard({ sizeBytes: 256 * mib });
    await expectUnharmed(await writeCards(image, [card], {}, signal), card);
    const behind = await bytesOf(card.memory, { offsetBytes: imageBytes, lengthBytes: 159 * mib });
    expect(behind.every((byte) => byte === 0xa5)).toBe(true);
    const end = await bytesOf(card.memory, { offsetBytes: 255 * mib, lengthBytes: mib });
    expect(end.every((byte) => byte === 0)).toBe(true);
  });

  test.each(["pulled", "vanished"] as const)(
    "that is %s while it is written goes on with --resume",
    async (fault) => {
      await using stack = new AsyncDisposableStack();
      const [card, good] = (await openCards(stack, [{ fault }, null], { writtenBytes: 12 * mib })) as [
        FaultyCard,
        FaultyCard,
      ];
      const written = await writeCards(image, [card, good], {}, signal);
      const end = written.end(card);
      expect(end).toMatchObject({ event: "failed", kind: "io", mismatch: null });
      expect(written.exitCode).toBe(inputOutput);
      await expectUnharmed(written, good);
      if (fault === "vanished") return;
      await card.begin(null);
      const resumed = await writeCards(image, [card], { flags: ["--resume"] }, signal);
      await expectUnharmed(resumed, card);
      const again = resumed.end(card) as EventOf<"verified">;
      expect(again.keptBytes).toBeGreaterThan(4 * mib);
      expect(again.keptBytes).toBeLessThanOrEqual(12 * mib);
    },
  );

  test("that is pulled while it is read back is not verified", async () => {
    await using stack = new AsyncDisposableStack();
    const [card] = (await openCards(stack, [{ fault: "pulled" }], {
      writtenBytes: 24 * mib,
      readBytes: 16 * mib,
    })) as [FaultyCard];
    const written = await writeCards(image, [card], {}, signal);
    expect(written.end(card)).toMatchObject({ event: "failed", kind: "io" });
    expect(written.exitCode).toBe(inputOutput);
  });

  test("that is slow is told of as it goes, and is no card that hangs", async () => {
    await using card = await openFaultyCard({ sizeBytes: cardBytes, bytesPerSecond: 24 * mib });
    const written = await writeCards(image, [card], {}, signal);
    await expectUnharmed(written, card);
    expect(written.events.filter(({ event }) => event === "stalled")).toEqual([]);
    for (const phase of ["writing", "verifying"] as const) {
      const done = written.events.flatMap((event) =>
        event.event === "progress" && event.phase === phase ? [event.doneBytes] : [],
      );
      expect(done).toEqual(done.toSorted((one, other) => one - other));
      expect(new Set(done).size).toBeGreaterThan(4);
    }
  });

  test("that hangs is told of and given up; one that answers again is written, and a good one never waits", async () => {
    await using stack = new AsyncDisposableStack();
    const [stuck, slow, good] = (await openCards(stack, [{ fault: "hangs" }, { fault: "hangs" }, null], {
      writtenBytes: 12 * mib,
    })) as [FaultyCard, FaultyCard, FaultyCard];
    const onEvent = (event: WriteEvent): void => {
      if (event.event === "stalled" && event.device === slow.device) void slow.begin(null);
    };
    const written = await writeCards(
      image,
      [stuck, slow, good],
      { flags: ["--give-up", "20"], onEvent },
      signal,
    );
    const stalls = written.events.filter((event) => event.event === "stalled");
    expect(stalls.filter(({ device }) => device === stuck.device).map(({ seconds }) => seconds)).toEqual([
      10, 20,
    ]);
    expect(stalls.filter(({ device }) => device === slow.device).map(({ seconds }) => seconds)).toEqual([10]);
    expect(stalls.filter(({ device }) => device === good.device)).toEqual([]);
    const end = written.end(stuck);
    expect(end).toMatchObject({ event: "failed", kind: "io", mismatch: null });
    if (end.event === "failed") expect(end.message).toContain("has not answered for 20 s");
    await expectUnharmed(written, slow);
    await expectUnharmed(written, good);
    expect(written.exitCode).toBe(inputOutput);
  }, 120_000);
});

describe("a card that is bad from the first byte on", () => {
  test("and cannot be read fails alone", async () => {
    await using stack = new AsyncDisposableStack();
    const [bad, good] = (await openCards(
      stack,
      [{ fault: "read-error", offsetBytes: 0, lengthBytes: 4096 }, null],
      {
        writtenBytes: 0,
      },
    )) as [FaultyCard, FaultyCard];
    const written = await writeCards(image, [bad, good], {}, signal);
    expect(written.end(bad)).toMatchObject({ event: "failed", kind: "io" });
    await expectUnharmed(written, good);
    expect(written.exitCode).toBe(inputOutput);
    const advice = String((written.events.at(-1) as { hint?: string }).hint);
    expect(advice).toContain(`${bad.device} --json`);
    expect(advice).toContain("--resume");
    // a card that is whole has been taken out by then
    expect(advice).not.toContain(good.device);
  });

  test("and hangs is told of and given up alone", async () => {
    await using stack = new AsyncDisposableStack();
    const [stuck, good] = (await openCards(stack, [{ fault: "hangs" }, null], { writtenBytes: 0 })) as [
      FaultyCard,
      FaultyCard,
    ];
    const written = await writeCards(image, [stuck, good], { flags: ["--give-up", "10"] }, signal);
    expect(written.stderr).toContain(`${stuck.device} has not answered for 10 s: what is on it is not known`);
    expect(written.end(stuck)).toMatchObject({ event: "failed", kind: "io", mismatch: null });
    await expectUnharmed(written, good);
    expect(written.exitCode).toBe(inputOutput);
  }, 120_000);
});

describe("faults at random", () => {
  test.each(Array.from({ length: 12 }, (_, index) => index + 1))(
    "of seed %d are all found, and the good card beside them is whole",
    async (seed) => {
      await using stack = new AsyncDisposableStack();
      const random = randomNumbers(seed);
      const faults = [randomFault(random), randomFault(random), randomFault(random)];
      const cards = await openCards(stack, [...faults, null]);
      const written = await writeCards(image, cards, {}, signal);
      for (const [index, card] of cards.entries()) {
        const fault = faults[index];
        if (fault === undefined) await expectUnharmed(written, card);
        else if (fault.fault === "write-error" || fault.fault === "read-error")
          expect(written.end(card)).toMatchObject({ event: "failed", kind: "io" });
        else await expectMismatch(written.end(card), card, null);
      }
      expect(written.exitCode).toBe(
        faults.every(({ fault }) => fault === "write-error" || fault === "read-error")
          ? inputOutput
          : notVerified,
      );
    },
  );
});

/** A linear congruential generator (Numerical Recipes): the same numbers from the same seed, from 0 up to 1. */
function randomNumbers(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function randomFault(random: () => number): Fault {
  const below = (limit: number): number => Math.floor(random() * limit);
  const extents = mapped();
  const extent = extents[below(extents.length)] ?? never("extents");
  const offsetBytes = extent.offsetBytes + below(extent.lengthBytes);
  const sectors = { ...sectorOf(offsetBytes), lengthBytes: 512 * (1 + below(64)) };
  const bit = below(8);
  const kinds: readonly (() => Fault)[] = [
    () => ({ fault: "bit-flip-on-read", offsetBytes, bit }),
    () => ({ fault: "bit-flip-on-write", offsetBytes, bit }),
    () => ({ fault: "dropped-writes", ...sectors }),
    () => ({ fault: "misdirected-writes", ...sectors, toBytes: 512 * below(imageBytes / 512) }),
    () => ({ fault: "write-error", ...sectors }),
    () => ({ fault: "read-error", ...sectors }),
    () => ({ fault: "wraps", realBytes: mib * (18 + below(60)) }),
    () => ({ fault: "zeros-beyond", realBytes: mib * (2 + below(70)) }),
  ];
  return (kinds[below(kinds.length)] ?? never("kinds"))();
}
