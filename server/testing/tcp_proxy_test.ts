import { assertEquals } from "@std/assert";
import { writeAll } from "../../codec/frame.ts";
import { TcpProxy } from "./tcp_proxy.ts";
import { until } from "./until.ts";

Deno.test("TcpProxy passes bytes and ends both ways, and closes what was dialled in vain", async () => {
  await using link = new TestLink();
  const [dialer, target] = await link.dial();
  await writeAll(dialer.conn, encode("ping"));
  assertEquals(await target.read(4), "ping");
  await dialer.conn.closeWrite();
  assertEquals(await target.read(1), "");
  await writeAll(target.conn, encode("pong"));
  target.conn.close();
  assertEquals(await dialer.read(5), "pong");

  link.refuse();
  const refused = await link.dialOnly();
  assertEquals(await refused.read(1), "");
});

Deno.test("TcpProxy passes more than sockets buffer to an end that reads late", async () => {
  await using link = new TestLink();
  const [dialer, target] = await link.dial();
  const text = "0123456789".repeat(1_000_000);
  const writing = writeAll(dialer.conn, encode(text));
  assertEquals(await target.read(text.length), text);
  await writing;
});

Deno.test("TcpProxy closes nothing in a black hole, and passes only new connections after it", async () => {
  await using link = new TestLink();
  const [dialer, target] = await link.dial();
  const [idle, idleTarget] = await link.dial();
  link.proxy.mode = "blackhole";
  const stranded = await link.dialOnly();
  await writeAll(dialer.conn, encode("12"));
  await writeAll(target.conn, encode("345"));
  await writeAll(stranded.conn, encode("6789"));
  await until(() => link.proxy.swallowedBytes === 9);

  link.proxy.mode = "pass";
  await writeAll(dialer.conn, encode("1"));
  await writeAll(target.conn, encode("2"));
  await writeAll(stranded.conn, encode("3"));
  await until(() => link.proxy.swallowedBytes === 12);
  const [fresh, freshTarget] = await link.dial();
  for (const [from, to] of [[fresh, freshTarget], [idle, idleTarget]] as const) {
    await writeAll(from.conn, encode("ping"));
    assertEquals(await to.read(4), "ping");
  }

  dialer.conn.close();
  assertEquals(await target.read(1), "");
});

for (const silenced of ["target", "dialer"] as const) {
  Deno.test(`TcpProxy swallows only what is sent to the ${silenced} in a black hole to it`, async () => {
    await using link = new TestLink();
    const [dialer, target] = await link.dial();
    link.proxy.mode = `blackhole_to_${silenced}`;
    const both = { dialer, target };
    const [mute, heard] = [both[silenced === "target" ? "dialer" : "target"], both[silenced]];
    await writeAll(mute.conn, encode("lost"));
    await until(() => link.proxy.swallowedBytes === 4);
    await writeAll(heard.conn, encode("came"));
    assertEquals(await mute.read(4), "came");

    // A stream with a hole would be no stream: after it nothing passes, either way.
    link.proxy.mode = "pass";
    await writeAll(mute.conn, encode("12"));
    await writeAll(heard.conn, encode("345"));
    await until(() => link.proxy.swallowedBytes === 9);
    heard.conn.close();
    assertEquals(await mute.read(1), "");
  });
}

Deno.test("TcpProxy tells that an end has closed in a black hole once the other sends after it", async () => {
  await using link = new TestLink();
  const [dialer, target] = await link.dial();
  link.proxy.mode = "blackhole";
  dialer.conn.close();
  await writeAll(target.conn, encode("?"));
  await until(() => link.proxy.swallowedBytes === 1);
  assertEquals(link.proxy.connections, 1);
  link.proxy.mode = "pass";
  await writeAll(target.conn, encode("?"));
  assertEquals(await target.read(1), "");
});

Deno.test("TcpProxy.reset() closes all connections, also in a black hole, and takes new ones", async () => {
  await using link = new TestLink();
  const first = await link.dial();
  const second = await link.dial();
  link.proxy.mode = "blackhole";
  link.proxy.reset();
  for (const end of [...first, ...second]) assertEquals(await end.read(1), "");
  await until(() => link.proxy.connections === 0);
  link.proxy.mode = "pass";
  const [dialer, target] = await link.dial();
  await writeAll(dialer.conn, encode("ping"));
  assertEquals(await target.read(4), "ping");
});

/** A proxy, whoever dials it, and the target behind it. */
class TestLink implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly proxy = TcpProxy.listen(this.#listener.addr.port);
  readonly #ends: End[] = [];

  /** Both ends of a new connection. */
  async dial(): Promise<[dialer: End, target: End]> {
    const [dialer, conn] = await Promise.all([this.dialOnly(), this.#listener.accept()]);
    const target = new End(conn);
    this.#ends.push(target);
    return [dialer, target];
  }

  async dialOnly(): Promise<End> {
    const end = new End(await Deno.connect({ hostname: "127.0.0.1", port: this.proxy.port }));
    this.#ends.push(end);
    return end;
  }

  /** From now on nothing listens at the target. */
  refuse(): void {
    close(this.#listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse();
    for (const { conn } of this.#ends) close(conn);
    await this.proxy.close();
  }
}

class End {
  readonly conn: Deno.TcpConn;

  constructor(conn: Deno.TcpConn) {
    this.conn = conn;
  }

  /** So many characters, or fewer if it ends before. */
  async read(length: number): Promise<string> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(64 * 1024);
    let text = "";
    while (text.length < length) {
      const count = await this.conn.read(buffer).catch((error) => {
        if (error instanceof Deno.errors.ConnectionReset) return null;
        throw error;
      });
      if (count === null) break;
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
    }
    return text;
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function close(resource: Deno.TcpConn | Deno.TcpListener): void {
  try {
    resource.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
