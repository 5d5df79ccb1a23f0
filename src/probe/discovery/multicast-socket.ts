import { createSocket } from "node:dgram";
import type { OpenChannel } from "./channel.ts";

const mdnsPort = 5353;
const groups = { 4: "224.0.0.251", 6: "ff02::fb" } as const;
const anywhere = { 4: "0.0.0.0", 6: "::" } as const;
/** Many answer at once, and each answer counts as a page or two. */
const receiveBufferBytes = 1 << 20;

export const openMulticastSocket: OpenChannel = async (link, port, { onPacket, onError }) => {
  const isShared = port === "mdns";
  const socket = createSocket({
    type: link.family === 4 ? "udp4" : "udp6",
    reuseAddr: isShared,
    reusePort: isShared,
    ipv6Only: link.family === 6,
  });
  const through = link.address ?? `::%${link.name}`;
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(isShared ? mdnsPort : 0, anywhere[link.family], () => {
        socket.off("error", reject);
        resolve();
      });
    });
    socket.setMulticastInterface(through);
    if (isShared) socket.addMembership(groups[link.family], through);
    // RFC 6762, section 11
    socket.setMulticastTTL(255);
    if (link.family === 4) socket.setTTL(255);
  } catch (cause) {
    socket.close();
    throw cause;
  }
  try {
    socket.setRecvBufferSize(receiveBufferBytes);
  } catch {
    // what the system gives by itself has to do
  }
  let isClosed = false;
  socket.on("error", ({ message }) => onError(message));
  socket.on("message", (packet, { address, port }) => onPacket(packet, address, port));
  return {
    send(packet) {
      if (isClosed) return;
      try {
        socket.send(packet, mdnsPort, groups[link.family], (problem) => {
          if (problem !== null && !isClosed) onError(problem.message);
        });
      } catch (thrown) {
        onError(thrown instanceof Error ? thrown.message : String(thrown));
      }
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      socket.close();
    },
  };
};
