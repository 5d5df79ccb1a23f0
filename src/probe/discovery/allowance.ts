/** How many packets are read: reading one costs more than sending one. */
export interface Allowance {
  /** Whether a packet of that sender may be read. */
  take(sender: string): boolean;
  /** Packets that were not read. */
  readonly dropped: number;
  /** Everybody may say as much again. */
  renew(): void;
}

/** Of all senders together; a home of 50 nodes needs half of it. */
const maximumPackets = 512;
/** Of a sender, whoever else says too much. */
const modestPackets = 2;

/** @param ofSender gives how many packets of one sender are read until the allowance is renewed */
export function createAllowance(ofSender: () => number): Allowance {
  const taken = new Map<string, number>();
  let all = 0;
  let dropped = 0;
  return {
    take(sender) {
      const before = taken.get(sender) ?? 0;
      if (before >= ofSender() || (all >= maximumPackets && before >= modestPackets)) {
        dropped += 1;
        return false;
      }
      taken.set(sender, before + 1);
      all += 1;
      return true;
    },
    get dropped() {
      return dropped;
    },
    renew() {
      taken.clear();
      all = 0;
    },
  };
}
