/**
 * Lets one system call after another fail in a real node, or kills it there, and looks for what it lost.
 *
 *     deno task test:syscalls
 *
 * Needs strace, and so Linux.
 */

import { runSyscalls, TARGETS } from "./syscalls/campaign.ts";
import { hasStrace } from "./syscalls/faulty_process.ts";

/** Of one file, so many of its calls fail at most. */
const NTH_MAX = 50;

if (!await hasStrace()) {
  console.error("Cannot let system calls fail: strace is missing, or may not trace here");
  Deno.exit(1);
}
const directory = await Deno.makeTempDir({ prefix: "chat-syscalls-" });
const startMs = performance.now();
const report = await runSyscalls({
  directory,
  targets: TARGETS,
  injections: ["EIO", "ENOSPC", "SIGKILL"],
  nthMax: NTH_MAX,
  log: console.log,
});
const seconds = Math.round((performance.now() - startMs) / 1000);
console.log(
  `${report.runs} runs in ${seconds} s, a call failed or was the last in ${report.injected}, the node ` +
    `went on in ${report.wentOn}; ${report.acknowledged} messages acknowledged, ` +
    `${report.faults.length} faults`,
);
if (report.faults.length > 0) {
  console.log(`what nodes left is in ${directory}`);
  Deno.exit(1);
}
await Deno.remove(directory, { recursive: true });
