import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { FrameGuard, type FrameRate, Http2Fault } from "./frame_guard.ts";

/**
 * A connection that says only what {@linkcode FrameGuard} lets through; at what it does not, it is
 * closed, and `onFault` is told what that was. So it is when nothing is called by the deadline.
 */
export function guarded(
  socket: Socket,
  { rate, callDeadlineMs }: { readonly rate: FrameRate; readonly callDeadlineMs: number },
  onFault: (what: string) => void,
): Duplex {
  const guard = new FrameGuard(rate);
  const cut = (what: string) => {
    onFault(what);
    socket.destroy();
  };
  const deadline = setTimeout(() => {
    if (!guard.hasCalled) cut(`no call for ${callDeadlineMs} ms`);
  }, callDeadlineMs);
  const filtered = new Duplex({
    read: () => void socket.resume(),
    write: (bytes, _encoding, done) => void socket.write(bytes, done),
    final: (done) => void socket.end(done),
    destroy(error, done) {
      clearTimeout(deadline);
      socket.destroy();
      done(error);
    },
  });
  // By these the library tells connections apart.
  const { remoteAddress, remotePort } = socket;
  Object.assign(filtered, { remoteAddress, remotePort });
  socket.on("data", (bytes: Uint8Array) => {
    // What came before it was cut is of no use to anybody.
    if (socket.destroyed) return;
    try {
      for (const part of guard.take(bytes)) if (!filtered.push(part)) socket.pause();
    } catch (error) {
      if (!(error instanceof Http2Fault)) throw error;
      cut(error.message);
    }
  });
  socket.on("end", () => filtered.push(null));
  socket.on("error", (error) => filtered.destroy(error));
  socket.on("close", () => filtered.destroy());
  return filtered;
}
