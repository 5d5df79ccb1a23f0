import type { Cluster } from "../config/cluster.ts";
import type { FanJudge } from "../config/fan-settings.ts";
import { loadCluster } from "../config/load-cluster.ts";
import type { Log } from "../core/ports.ts";
import { connectedFans, mergeFan } from "../fand/config/cluster-fan.ts";
import { fanFirmware, wantsSound } from "../imager/plan/fan-firmware.ts";

/** [fan] is judged as the node itself would judge it, and as its boot configuration needs it. */
export const fanJudge: FanJudge = {
  merge: mergeFan,
  judge(content, configTxt, diagnosis) {
    let isSound = true;
    const fans = connectedFans(content, {
      ...diagnosis,
      add(...problem) {
        // also one that another node has, and that is told once
        isSound = false;
        diagnosis.add(...problem);
      },
    });
    if (!isSound) return [];
    const { flaws, overlays } = fanFirmware(fans, configTxt);
    for (const { key, flaw, value } of flaws) diagnosis.add(key, flaw, value);
    if (overlays.some(({ name }) => name !== "gpio-fan") && wantsSound(configTxt))
      diagnosis.warn(
        "pin",
        "on a Pi 3 or 4 the analogue sound output that config_txt asks for takes the PWM away from the fan",
        "remove audio=on from config_txt in [image]",
      );
    return fans;
  },
};

/** The cluster of a file, as every verb reads it. @throws as `loadCluster` */
export async function readCluster(file: string, log: Log, signal: AbortSignal): Promise<Cluster> {
  return await loadCluster(file, fanJudge, log, signal);
}
