import { assertEquals } from "@std/assert";
import { ManualTimer } from "../testing/manual_timer.ts";
import { type AttemptsChange, SignInThrottle } from "./sign_in_throttle.ts";

const LIMITS = {
  wrongPasswordsPerAccount: 10,
  wrongPasswordsPerAddress: 1000,
  wrongPasswordRefillMs: 10_000,
};
const SETTLE_MS = 100;

function throttleOf(timer: ManualTimer, { nodes = 1, limits = LIMITS } = {}): SignInThrottle {
  return new SignInThrottle({ limits, nodes, timer });
}

/** How many of so many guesses at once would be checked. */
async function guess(
  throttles: readonly SignInThrottle[],
  timer: ManualTimer,
  { count, name = "alice", address = "192.0.2.1" }: {
    count: number;
    name?: string;
    address?: string;
  },
): Promise<number> {
  const attempts = Array.from(
    { length: count },
    (_, index) => throttles[index % throttles.length]?.begin(name, address),
  );
  timer.pass(SETTLE_MS);
  return (await Promise.all(attempts)).filter((attempt) => attempt?.waitMs === 0).length;
}

Deno.test("SignInThrottle grants an account its burst and no more, and later one at a time", async () => {
  const timer = new ManualTimer();
  const throttle = throttleOf(timer);
  assertEquals(await guess([throttle], timer, { count: 100 }), 10);
  assertEquals(await guess([throttle], timer, { count: 1, name: "bob" }), 1);
  timer.pass(LIMITS.wrongPasswordRefillMs);
  assertEquals(await guess([throttle], timer, { count: 100 }), 1);
});

Deno.test("SignInThrottle counts a whole /64 of IPv6 as one address, over all accounts", async () => {
  const timer = new ManualTimer();
  const throttle = throttleOf(timer, { limits: { ...LIMITS, wrongPasswordsPerAddress: 5 } });
  let checked = 0;
  for (let count = 0; count < 20; count++) {
    const guessed = { count: 1, name: `user${count}`, address: `2001:db8::${count}` };
    checked += await guess([throttle], timer, guessed);
  }
  assertEquals(checked, 5);
  assertEquals(await guess([throttle], timer, { count: 1, address: "2001:db8:0:1::1" }), 1);
});

Deno.test("SignInThrottle charges neither what was right nor what was not checked", async () => {
  const timer = new ManualTimer();
  const throttle = throttleOf(timer);
  for (let count = 0; count < 50; count++) {
    const attempt = await throttle.begin("alice", "192.0.2.1");
    if (count % 2 === 0) attempt.abandoned();
    else attempt.succeeded();
  }
  assertEquals(await guess([throttle], timer, { count: 100, address: "192.0.2.2" }), 10);
});

Deno.test("SignInThrottle lets an owner in from where they were before, whoever guesses elsewhere", async () => {
  const timer = new ManualTimer();
  const throttle = throttleOf(timer);
  throttle.nowFamiliar("alice", "192.0.2.7");
  assertEquals(await guess([throttle], timer, { count: 100 }), 10);
  const home = { count: 100, address: "192.0.2.7" };
  // There, too, there is an end to it.
  assertEquals(await guess([throttle], timer, home), 10);
  assertEquals(await guess([throttle], timer, { count: 1, address: "192.0.2.8" }), 0);
  assertEquals(await guess([throttle], timer, { ...home, name: "bob" }), 10);
});

Deno.test("SignInThrottle counts guesses at three nodes at once as those at one", async () => {
  const timer = new ManualTimer();
  const nodes = [1, 2, 3].map(() => throttleOf(timer, { nodes: 3 }));
  let packets = 0;
  for (const node of nodes) {
    node.tellNodes((change) => {
      packets++;
      for (const other of nodes) if (other !== node) other.heard(change);
    });
  }
  const checked = await guess(nodes, timer, { count: 10_000 });
  assertEquals(checked <= 10 && checked >= 9, true, `${checked}`);
  // Ten thousand guesses are not ten thousand packets.
  assertEquals(packets <= 6, true, `${packets}`);
});

Deno.test("SignInThrottle tells a node that was away what counts, which adds nothing if it knows", async () => {
  const timer = new ManualTimer();
  const [here, there] = [throttleOf(timer, { nodes: 2 }), throttleOf(timer, { nodes: 2 })];
  await guess([here], timer, { count: 4 });
  const all = here.all();
  assertEquals(
    all,
    {
      fromScratch: true,
      accounts: [{ key: "alice", count: 4 }],
      addresses: [{ key: "192.0.2.1", count: 4 }],
    } satisfies AttemptsChange,
  );
  for (let times = 0; times < 3; times++) there.heard(all);
  assertEquals(await guess([there], timer, { count: 100 }), 6);
});
