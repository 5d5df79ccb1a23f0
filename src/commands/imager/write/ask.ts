import type { VerbContext } from "../../../cli/verb.ts";
import { BerryError } from "../../../core/errors.ts";
import { terminalAsker } from "../../init/terminal-asker.ts";
import type { ChosenCard } from "./choose-cards.ts";
import { describeDisk } from "./confirm-cards.ts";

/**
 * Shows what will be overwritten, and asks once for all removable cards, and for each other disk its model.
 * @throws BerryError `interrupted` unless the answer is yes
 */
export async function askAll(
  cards: readonly ChosenCard[],
  { screen, log, signal }: Pick<VerbContext, "screen" | "log" | "signal">,
): Promise<void> {
  const asked = cards.filter(({ question }) => question.ask !== "nothing");
  if (asked.length === 0) return;
  screen.print("This will be overwritten:");
  for (const { disk, image } of cards) screen.print(`  ${describeDisk(disk)}\n    by ${image.path}`);
  const terminal = { input: process.stdin, write: (text: string) => void process.stderr.write(text) };
  using asker = terminalAsker(terminal, log, signal);
  for (const { disk, question } of asked) {
    if (question.ask !== "phrase") continue;
    log.warn(`${disk.path} is not a removable card`);
    const typed = await asker.text(`Type ${question.phrase} to overwrite it`, "", () => null);
    if (typed !== question.phrase) throw refused();
  }
  if (asked.some(({ question }) => question.ask === "consent")) {
    const answer = await asker.text("Overwrite? (y/N)", "", () => null);
    if (!/^y(es)?$/i.test(answer)) throw refused();
  }
}

function refused(): BerryError {
  return new BerryError("interrupted", "not confirmed: nothing was written");
}
