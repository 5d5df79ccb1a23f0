import bursts from "../traces/bursts.csv" with { type: "text" };
import builds from "../traces/builds.csv" with { type: "text" };
import cluster from "../traces/cluster.csv" with { type: "text" };
import cron from "../traces/cron.csv" with { type: "text" };
import idle from "../traces/idle.csv" with { type: "text" };
import stress from "../traces/stress.csv" with { type: "text" };
import web from "../traces/web.csv" with { type: "text" };

/** Loads of a Pi 4, by name; the first line of each says what it is of. */
export const shippedTraces: Readonly<Record<string, string>> = {
  idle,
  cron,
  bursts,
  builds,
  cluster,
  web,
  stress,
};
