import { TextLineStream } from "@std/streams";

/** A line of the journal. */
const LINE_BYTES = 300;
/** A frame of SEND_MESSAGE with 100 bytes of content. */
const FRAME_BYTES = 190;

/** What this machine can do at most, whatever the server. */
export interface MachineLimits {
  readonly fsyncsPerSecond: number;
  readonly pingPongsPerSecond1: number;
  readonly pingPongsPerSecond64: number;
}

export async function measureMachine(directory: string, ms: number): Promise<MachineLimits> {
  return {
    fsyncsPerSecond: await fsyncsPerSecond(directory, ms),
    ...await pingPongsPerSecond(ms),
  };
}

/** Appends one line at a time, each synced, the way the journal does it. */
async function fsyncsPerSecond(directory: string, ms: number): Promise<number> {
  const line = new Uint8Array(LINE_BYTES).fill(0x78);
  using file = await Deno.open(`${directory}/fsync`, { append: true, create: true });
  const startMs = performance.now();
  let count = 0;
  for (; performance.now() - startMs < ms; count++) {
    file.writeSync(line);
    await file.syncData();
  }
  return count / (performance.now() - startMs) * 1000;
}

async function pingPongsPerSecond(ms: number) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1", echoScript()],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  try {
    const reader = lines.getReader();
    const port = Number((await reader.read()).value);
    const pingPongsPerSecond1 = await pingPong(port, 1, ms);
    const pingPongsPerSecond64 = await pingPong(port, 64, ms);
    await reader.cancel();
    return { pingPongsPerSecond1, pingPongsPerSecond64 };
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}

async function pingPong(port: number, connections: number, ms: number): Promise<number> {
  const conns = await Promise.all(
    Array.from({ length: connections }, () => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  const startMs = performance.now();
  const counts = await Promise.all(conns.map((conn) => pingPongOn(conn, startMs + ms)));
  const seconds = (performance.now() - startMs) / 1000;
  return counts.reduce((sum, count) => sum + count, 0) / seconds;
}

async function pingPongOn(conn: Deno.TcpConn, endMs: number): Promise<number> {
  conn.setNoDelay(true);
  const frame = new Uint8Array(FRAME_BYTES);
  const buffer = new Uint8Array(4096);
  let count = 0;
  for (; performance.now() < endMs; count++) {
    await conn.write(frame);
    for (let bytes = 0; bytes < FRAME_BYTES;) bytes += await conn.read(buffer) ?? FRAME_BYTES;
  }
  conn.close();
  return count;
}

function echoScript(): string {
  return new URL("echo.ts", import.meta.url).href;
}
