import { describe, expect, test } from "bun:test";
import { type Announcement, renderService } from "../../../../src/probe/announce/render-service.ts";

const pi: Announcement = {
  serial: "10000000a1b2c3d4",
  model: "Raspberry Pi 4 Model B Rev 1.4",
  role: "monitor",
  version: "0.1.0",
};

const records = (announcement: Announcement) =>
  [...renderService(announcement).matchAll(/<txt-record>(.*)<\/txt-record>/g)].map(([, record]) => record);

describe("avahi's service file", () => {
  test("names service, port and all that is known", () => {
    expect(renderService(pi)).toBe(`<?xml version="1.0" encoding="utf-8" standalone="no"?>
<!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<!-- Written by berry probe announce: without this line, it is yours. -->
<service-group>
  <name replace-wildcards="yes">%h</name>
  <service>
    <type>_berry._tcp</type>
    <port>9100</port>
    <txt-record>serial=10000000a1b2c3d4</txt-record>
    <txt-record>model=Raspberry Pi 4 Model B Rev 1.4</txt-record>
    <txt-record>role=monitor</txt-record>
    <txt-record>version=0.1.0</txt-record>
  </service>
</service-group>
`);
  });
  test("leaves out what is not known", () => {
    expect(records({ serial: null, model: null, role: null, version: "1" })).toEqual(["version=1"]);
  });
  test("escapes what would be XML, and drops what XML cannot say", () => {
    const model = "</txt-record><type>_ssh._tcp</type>&amp;\u0000\u001b[31m\nx\uFFFF\uD800y";
    expect(records({ ...pi, model })[1]).toBe(
      "model=&lt;/txt-record&gt;&lt;type&gt;_ssh._tcp&lt;/type&gt;&amp;amp;[31mx\uFFFDy",
    );
  });
  test.each([
    ["x".repeat(249), 255, "xx"],
    ["x".repeat(300), 255, "xx"],
    // 6 bytes of key, 62 characters of four bytes: a sixty-third does not fit
    ["🍓".repeat(100), 254, "🍓"],
  ])("cuts a TXT string between two characters, at 255 bytes: %#", (model, bytes, end) => {
    const record = records({ ...pi, model })[1] ?? "";
    expect(new TextEncoder().encode(record).length).toBe(bytes);
    expect(record.endsWith(end)).toBe(true);
  });
});
