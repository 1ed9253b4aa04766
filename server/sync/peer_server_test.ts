import { assertEquals } from "@std/assert";
import { once } from "node:events";
import { connect } from "node:net";
import { TestAuthority } from "../testing/test_authority.ts";
import { createPeerServer } from "./peer_server.ts";

Deno.test("createPeerServer() begins no TLS with a connection that is not admitted", async () => {
  const authority = await TestAuthority.make();
  const tls = { identity: await authority.issue("node1"), isNode: () => true };
  const lines: string[] = [];
  const told = Promise.withResolvers<void>();
  const log = (line: string) => {
    lines.push(line);
    if (line.includes("(received corrupt message")) told.resolve();
  };
  let isRefused = true;
  const admit = (socket: { destroy(): void }) => {
    if (isRefused) socket.destroy();
    return !isRefused;
  };
  const { listener } = createPeerServer({ admit, take: () => {} }, tls, log);
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  const come = async () => {
    const client = connect({ port, host: "127.0.0.1" });
    client.on("error", () => {}).resume();
    client.write("GET / HTTP/1.1\r\n\r\n");
    await once(client, "close");
  };
  for (let count = 0; count < 3; count++) await come();
  isRefused = false;
  await Promise.all([come(), told.promise]);
  assertEquals(lines.length, 1);
  await new Promise((resolve) => listener.close(resolve));
});
