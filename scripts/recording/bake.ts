import type { Command } from "./session.ts";

/** What both images are made from. */
export const clusterText = `[cluster]
name = "berry"

[image]
target = "debian-arm64"

[user]
name = "pi"
password_file = "secret/password"

[[node]]
name = "pi1"

[[node]]
name = "pi2"
network = { address = "192.168.1.12/24", gateway = "192.168.1.1" }
`;

export const bakeTitle = "berry imager: two images from one file";

export const bakeCommands: readonly Command[] = [
  {
    typed: "cat berry.toml",
    exitCode: 0,
    pace: { longestMilliseconds: 100, budgetMilliseconds: 100 },
  },
  {
    typed: "berry imager",
    exitCode: 0,
    pace: { longestMilliseconds: 400, budgetMilliseconds: 18_000 },
  },
];
