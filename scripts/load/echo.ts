/** Sends back whatever comes: what TCP and Deno cost without a server's work. Run by load.ts. */

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(listener.addr.port);
for await (const conn of listener) void echo(conn);

async function echo(conn: Deno.TcpConn): Promise<void> {
  conn.setNoDelay(true);
  const buffer = new Uint8Array(4096);
  for (;;) {
    const bytes = await conn.read(buffer);
    if (bytes === null) return conn.close();
    await conn.write(buffer.subarray(0, bytes));
  }
}
