/**
 * How long a node takes to refuse a wrong password, and the password of an account that was deleted after
 * LOGIN_NAME had found it: as long, so that the time tells nobody which it was.
 */

import { DEFAULT_COST } from "../server/auth/password.ts";
import { testServer } from "../server/testing/test_server.ts";
import { WireClient } from "../server/testing/wire_client.ts";

const TRIES = 30;
const limits = { wrongPasswordsPerAccount: 1000, wrongPasswordsPerAddress: 1000 };

await using server = await testServer({ limits, cost: DEFAULT_COST });
const timesMs: Record<string, number[]> = { "wrong password": [], "deleted account": [] };
await WireClient.signedIn(server.port, "alice");
for (let count = 0; count < TRIES; count++) {
  // In turn, so that whatever else the machine does is in both.
  timesMs["wrong password"]?.push(await refusalMs("alice"));
  const name = `user${count}`;
  const owner = await WireClient.signedIn(server.port, name);
  const erase = async () => {
    await owner.expect("done", { kind: "delete_account", payload: null });
  };
  timesMs["deleted account"]?.push(await refusalMs(name, erase));
  owner.close();
}
console.log("| refused | median ms | 10 % | 90 % |");
console.log("| ------- | --------- | ---- | ---- |");
for (const [what, times] of Object.entries(timesMs)) {
  const sorted = times.toSorted((a, b) => a - b);
  const [low, median, high] = [0.1, 0.5, 0.9].map((part) => sorted[Math.floor(part * TRIES)]);
  console.log(`| ${what} | ${median?.toFixed(1)} | ${low?.toFixed(1)} | ${high?.toFixed(1)} |`);
}

async function refusalMs(name: string, between = () => Promise.resolve()): Promise<number> {
  const client = await WireClient.connect(server.port);
  await client.expect("user_existing", { kind: "login_name", payload: name });
  await between();
  const startMs = performance.now();
  await client.expect("login_failed", { kind: "login_password", payload: "wrong horse" });
  const passedMs = performance.now() - startMs;
  client.close();
  return passedMs;
}
