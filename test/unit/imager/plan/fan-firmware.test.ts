import { describe, expect, test } from "bun:test";
import { parse } from "smol-toml";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { fandUnit } from "../../../../src/imager/plan/systemd-units.ts";
import { fanSteps } from "../../../../src/imager/plan/fan-steps.ts";
import type { Step } from "../../../../src/imager/step.ts";
import type { Target } from "../../../../src/imager/targets/target.ts";
import { shippedTarget } from "../../../../src/imager/targets/targets.ts";
import {
  arch,
  debian,
  makeCluster,
  makeFacts,
  makeFan,
  makeNode,
  planOf,
  type PlanChanges,
} from "./cluster-values.ts";

type Content = Readonly<Record<string, unknown>>;

function nodeSteps(target: string, content: Content, configTxt: readonly string[] = []): readonly Step[] {
  const node = makeNode("pi1", { fan: makeFan(content, configTxt), image: { configTxt } });
  return planOf(makeCluster(target, [node])).nodes[0]?.steps ?? [];
}

/** What config.txt gets for the fan. */
function lines(target: string, content: Content, configTxt: readonly string[] = []): readonly string[] {
  const boot = target === arch ? "/boot" : "/boot/firmware";
  return nodeSteps(target, content, configTxt).flatMap((step) =>
    step.do === "add-lines" && step.path === `${boot}/config.txt` ? step.lines : [],
  );
}

function cmdline(target: string, content: Content): string {
  const step = nodeSteps(target, content).find(
    (one) => one.do === "write" && one.path.endsWith("/cmdline.txt"),
  );
  return step?.do === "write" ? step.content : "";
}

const onHeader: readonly (readonly [title: string, Content, readonly string[]])[] = [
  ["PWM on the usual pin", {}, ["gpio=18=op,dh", "dtoverlay=pwm,pin=18,func=2"]],
  ["PWM on 19", { pin: 19 }, ["gpio=19=op,dh", "dtoverlay=pwm,pin=19,func=2"]],
  ["PWM on 12", { pin: 12 }, ["gpio=12=op,dh", "dtoverlay=pwm,pin=12,func=4"]],
  ["PWM on 13", { pin: 13, backend: "pwm" }, ["gpio=13=op,dh", "dtoverlay=pwm,pin=13,func=4"]],
  ["PWM that is inverted", { inverted: true }, ["gpio=18=op,dl", "dtoverlay=pwm,pin=18,func=2"]],
  ["a switch", { mode: "on-off" }, ["gpio=18=op,dh", "dtoverlay=gpio-fan,gpiopin=18,temp=75000"]],
  [
    "a switch by the kernel's driver",
    { pin: 4, mode: "on-off", backend: "hwmon" },
    ["gpio=4=op,dh", "dtoverlay=gpio-fan,gpiopin=4,temp=75000"],
  ],
  ["a switch of ours", { pin: 4, backend: "gpio" }, ["gpio=4=op,dh"]],
  ["a switch that is inverted", { pin: 4, mode: "on-off", inverted: true }, ["gpio=4=op,dl"]],
  ["pigpio on any pin", { pin: 4, backend: "pigpio" }, ["gpio=4=op,dh"]],
  [
    "two fans with PWM",
    {
      fan: [
        { name: "left", pin: 19 },
        { name: "right", pin: 12 },
      ],
    },
    ["gpio=19=op,dh", "gpio=12=op,dh", "dtoverlay=pwm-2chan,pin=12,func=4,pin2=19,func2=2"],
  ],
  [
    "a fan with PWM and one without",
    { fan: [{ pin: 18 }, { pin: 4, mode: "on-off" }] },
    [
      "gpio=18=op,dh",
      "gpio=4=op,dh",
      "dtoverlay=pwm,pin=18,func=2",
      "dtoverlay=gpio-fan,gpiopin=4,temp=75000",
    ],
  ],
  [
    "two switches, of which the kernel's driver takes one",
    {
      fan: [
        { pin: 4, mode: "on-off" },
        { pin: 5, mode: "on-off" },
      ],
    },
    ["gpio=4=op,dh", "gpio=5=op,dh", "dtoverlay=gpio-fan,gpiopin=4,temp=75000"],
  ],
];

describe("the firmware is told of", () => {
  test.each(onHeader)("%s", (_title, content, wanted) => {
    const sound = wanted.some((line) => line.includes("=pwm")) ? ["dtparam=audio=off"] : [];
    const at = wanted.findIndex((line) => line.startsWith("dtoverlay"));
    const withSound = at < 0 ? wanted : [...wanted.slice(0, at), ...sound, ...wanted.slice(at)];
    expect(lines(arch, content)).toEqual(["[all]", ...withSound]);
    expect(lines(debian, content)).toEqual(["[all]", ...wanted]);
  });

  test("the Pi 5's connector, on a Pi 5 alone", () => {
    expect(lines(arch, { backend: "hwmon" })).toEqual(["[all]", "[pi5]", "dtparam=cooling_fan=on", "[all]"]);
  });

  test("nothing where nothing is driven, or the kernel's chip is named", () => {
    expect(lines(arch, { backend: "none" })).toEqual([]);
    expect(lines(arch, { chip: "rpipoefan" })).toEqual([]);
  });

  test.each<readonly [string, readonly string[], readonly string[]]>([
    ["an overlay for the pin", ["dtoverlay=pwm-gpio-fan"], ["[all]", "gpio=18=op,dh"]],
    ["an overlay that names it", ["dtoverlay=gpio-fan,gpiopin=18,temp=60000"], ["[all]", "gpio=18=op,dh"]],
    [
      "an overlay for another pin",
      ["dtoverlay=gpio-fan,gpiopin=17", "dtoverlay=vc4-kms-v3d"],
      ["[all]", "gpio=18=op,dh", "dtparam=audio=off", "dtoverlay=pwm,pin=18,func=2"],
    ],
    [
      "the pin's level",
      ["gpio=4,17-19=op,dl"],
      ["[all]", "dtparam=audio=off", "dtoverlay=pwm,pin=18,func=2"],
    ],
    ["sound", ["dtparam=audio=on"], ["[all]", "gpio=18=op,dh", "dtoverlay=pwm,pin=18,func=2"]],
  ])("nothing twice, where config_txt has %s", (_title, configTxt, wanted) => {
    expect(lines(arch, {}, configTxt)).toEqual(wanted);
  });

  test("the same in what Debian makes config.txt of with every kernel", () => {
    const files = nodeSteps(debian, {}).flatMap((step) => (step.do === "add-lines" ? [step] : []));
    expect(files.map(({ path }) => path)).toEqual([
      "/boot/firmware/config.txt",
      "/etc/default/raspi-firmware-custom",
    ]);
    expect(files[0]?.lines).toEqual(files[1]?.lines ?? []);
  });

  test("a line that keeps its level, on the kernel's command line", () => {
    const word = "pinctrl-bcm2835.persist_gpio_outputs=1";
    expect(cmdline(debian, { backend: "gpio" }).split(/\s/)).toContain(word);
    expect(cmdline(debian, { mode: "on-off" })).not.toContain(word);
  });
});

describe("an overlay", () => {
  const compiled = (target: string, content: Content) =>
    nodeSteps(target, content).flatMap((step) =>
      step.do === "run" && step.argv[0] === "dtc" ? [step.argv.at(-2)?.split("/").at(-1)] : [],
    );
  test("is compiled where the distribution has none, and only what the node needs", () => {
    expect(compiled(debian, {})).toEqual(["pwm.dtbo"]);
    expect(compiled(debian, { mode: "on-off" })).toEqual(["gpio-fan.dtbo"]);
    expect(compiled(debian, { fan: [{ pin: 18 }, { pin: 19 }] })).toEqual(["pwm-2chan.dtbo"]);
    expect(compiled(debian, { backend: "gpio" })).toEqual([]);
    expect(compiled(arch, {})).toEqual([]);
  });
});

describe("a fan that the target's kernel does not reach", () => {
  test("is refused for Debian's kernel on a Pi 5's connector", async () => {
    const failure = await failureOf(Promise.try(() => nodeSteps(debian, { backend: "hwmon" })));
    expect(failure).toMatchObject({
      kind: "config",
      message: "pi1: the kernel of debian-arm64 does not reach the fan connector of a Pi 5",
    });
  });
  test("is refused where the target file does not say how", async () => {
    const { target } = shippedTarget(debian);
    const silent: Target = { ...target, boot: { ...target.boot, overlays: "none" } };
    const steps = (content: Content) => fanSteps(makeNode("pi1", { fan: makeFan(content) }), silent, "/r");
    const failure = await failureOf(Promise.try(() => steps({})));
    expect(failure).toMatchObject({ kind: "config" });
    expect(steps({ backend: "gpio" })).not.toEqual([]);
  });
});

describe.each([arch, debian])("every image of %s", (target) => {
  const imageSteps = (changes: PlanChanges = {}) => {
    const plan = planOf(makeCluster(target, [makeNode("pi1")]), changes);
    return plan.layers.find(({ name }) => name === "image")?.steps ?? [];
  };
  const written = (steps: readonly Step[], path: string) => {
    const step = steps.findLast((one) => one.do === "write" && one.path === path);
    return step?.do === "write" ? [step.mode, step.content] : null;
  };
  const unit = `/usr/lib/systemd/system/${fandUnit.name}`;
  const dropIn = "/usr/lib/systemd/system/prometheus-node-exporter.service.d/10-berry.conf";

  test("has the daemon, which drives nothing unless the node says so", () => {
    const steps = imageSteps();
    expect(written(steps, unit)).toEqual([0o644, fandUnit.content]);
    expect(written(steps, "/usr/lib/berry/fand-failsafe")?.[0]).toBe(0o755);
    const [mode, content] = written(steps, "/etc/berry/fand.toml") ?? [];
    expect([mode, parse(String(content))]).toEqual([0o644, { backend: "none" }]);
    const enable = steps.find((step) => step.do === "run" && step.argv[2] === "enable");
    expect(enable?.do === "run" && enable.argv).toContain(fandUnit.name);
  });

  test("shows its metrics to node_exporter, beside what that reads anyway", () => {
    const [mode, content] = written(imageSteps(), dropIn) ?? [];
    const variable = target === arch ? "$NODE_EXPORTER_ARGS" : "$ARGS";
    const own =
      target === arch
        ? " --collector.systemd"
        : " --collector.textfile.directory=/var/lib/prometheus/node-exporter";
    const note = target === arch ? "# a flag that comes twice keeps node_exporter from starting\n" : "";
    expect([mode, content]).toEqual([
      0o644,
      `${note}[Service]\nExecStart=\nExecStart=/usr/bin/prometheus-node-exporter ${variable}${own} --collector.textfile.directory=/run/berry\n`,
    ]);
  });

  test("has nothing of it where there is no berry to run", () => {
    const steps = imageSteps({ facts: makeFacts({ berry: null }) });
    for (const path of [unit, dropIn, "/usr/lib/berry/fand-failsafe", "/etc/berry/fand.toml"])
      expect(written(steps, path)).toBeNull();
    expect(JSON.stringify(steps)).not.toContain(fandUnit.name);
  });

  test("has a node's own fand.toml over it, which says what [fan] says", () => {
    const content = {
      pin: 13,
      mode: "pwm",
      curve: [
        [40, 0],
        [72.5, 100],
      ],
      sensors: ["probe"],
      sensor: [{ name: "probe", file: '/run/a "b"' }],
      limits: { override: 65 },
    };
    const [mode, text] = written(nodeSteps(target, content), "/etc/berry/fand.toml") ?? [];
    expect([mode, parse(String(text))]).toEqual([0o644, content]);
  });
});
