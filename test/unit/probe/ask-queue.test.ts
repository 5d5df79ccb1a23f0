import { describe, expect, test } from "bun:test";
import { askInTurn } from "../../../src/probe/ask-queue.ts";
import type { Answer } from "../../../src/probe/health.ts";
import type { Ask } from "../../../src/probe/look.ts";
import type { Sighting } from "../../../src/probe/sighting.ts";
import { failureOf } from "../../fixtures/failure-of.ts";
import { settle } from "../../fixtures/fake-discovery.ts";
import { pageAt, sightingOf } from "../../fixtures/probe-values.ts";
import { fakeClock } from "../cli/fakes.ts";

const { signal } = new AbortController();
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** Nodes that answer when the test says so. */
function start() {
  const clock = fakeClock();
  const inFlight = new Map<string, () => void>();
  const asked: string[] = [];
  const answers: Answer[] = [];
  let most = 0;
  const nodes: Ask = async ({ host }) => {
    const gate = Promise.withResolvers<void>();
    asked.push(host);
    inFlight.set(host, gate.resolve);
    most = Math.max(most, inFlight.size);
    await gate.promise;
    inFlight.delete(host);
    return pageAt(1);
  };
  const queue = askInTurn(nodes, clock);
  return {
    clock,
    asked,
    answers,
    most: () => most,
    async ask(sighting: Sighting, wanted: AbortSignal = signal) {
      const answer = await queue(sighting, wanted);
      answers.push(answer);
      return answer;
    },
    async answer(host: string) {
      inFlight.get(host)?.();
      await settle();
    },
    async answerAll() {
      while (inFlight.size > 0) {
        for (const release of inFlight.values()) release();
        await settle();
      }
    },
  };
}

/** One machine under many names, on as many ports. */
const liar = (number: number, changes: Partial<Sighting> = {}) =>
  sightingOf(`liar${number}`, 66, { port: 9100 + number, sender: "192.168.1.66", ...changes });

describe("nodes are asked in turn", () => {
  test("four at a time of one machine, on whatever ports, and all of them", async () => {
    const { ask, asked, most, answer, answerAll, answers } = start();
    const asking = Promise.all(numbers(10).map((number) => ask(liar(number))));
    await settle();
    expect(asked).toEqual(["liar1", "liar2", "liar3", "liar4"]);
    await answer("liar2");
    expect(asked).toEqual(["liar1", "liar2", "liar3", "liar4", "liar5"]);
    await answerAll();
    await asking;
    expect([most(), asked.length, answers.length]).toEqual([4, 10, 10]);
  });
  test("thirty-two at a time in all", async () => {
    const { ask, asked, most, answerAll } = start();
    const asking = Promise.all(numbers(100).map((number) => ask(sightingOf(`pi${number}`, number))));
    await settle();
    expect(asked).toHaveLength(32);
    await answerAll();
    await asking;
    expect([most(), asked.length]).toEqual([32, 100]);
  });
  test("and a machine of which another one speaks does not wait for that one's", async () => {
    const { ask, asked, answerAll } = start();
    const asking = Promise.all(numbers(6).map((number) => ask(liar(number))));
    const own = ask(sightingOf("pi66", 66, { sender: "192.168.1.67" }));
    const users = ask(sightingOf("mine", 66, { source: "user" }));
    await settle();
    expect(asked).toEqual(["liar1", "liar2", "liar3", "liar4", "pi66", "mine"]);
    await answerAll();
    await Promise.all([asking, own, users]);
  });
  test("and whoever speaks for many lets those who speak for themselves go first", async () => {
    const { ask, asked, answer, answerAll } = start();
    const sender = "192.168.1.66";
    const asking = Promise.all(
      numbers(60).map((number) => ask(sightingOf(`liar${number}`, number, { sender }))),
    );
    const own = ask(sightingOf("pi1", 1, { sender: "192.168.1.1" }));
    await settle();
    expect(asked).not.toContain("pi1");
    await answer("liar1");
    expect(asked.at(-1)).toBe("pi1");
    await answerAll();
    await Promise.all([asking, own]);
  });
  test("and one whose turn does not come is not asked, but those that the user has named are", async () => {
    const { ask, asked, answers, clock, answerAll } = start();
    const asking = Promise.all([
      ...numbers(32).map((number) => ask(sightingOf(`liar${number}`, number))),
      ask(sightingOf("late", 99)),
      ask(sightingOf("mine", 98, { source: "user" })),
    ]);
    await settle();
    await clock.advance(3000);
    await settle();
    expect(answers).toMatchObject([{ answer: "none", isUnasked: true }]);
    await answerAll();
    await asking;
    expect(asked).toHaveLength(33);
    expect(asked.at(-1)).toBe("mine");
  });
  test("until nobody wants it any more, and the next one's turn comes", async () => {
    const { ask, asked, answer, answerAll } = start();
    const asking = Promise.all(numbers(4).map((number) => ask(liar(number))));
    const interrupt = new AbortController();
    const waiting = failureOf(ask(liar(5), interrupt.signal));
    const next = ask(liar(6));
    interrupt.abort(new Error("enough"));
    expect(await waiting).toEqual(new Error("enough"));
    await answer("liar1");
    expect(asked.at(-1)).toBe("liar6");
    await answerAll();
    await Promise.all([asking, next]);
    expect(asked).not.toContain("liar5");
  });
  test("and one that fails makes room, too", async () => {
    let asked = 0;
    const queue = askInTurn(() => {
      asked += 1;
      return Promise.reject(new Error("no"));
    }, fakeClock());
    const all = await Promise.all(numbers(9).map((number) => failureOf(queue(liar(number), signal))));
    expect([asked, all.length]).toEqual([9, 9]);
  });
});
