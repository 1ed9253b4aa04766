import { assertEquals, assertGreater } from "@std/assert";
import { runSyscalls } from "./syscalls/campaign.ts";
import { hasStrace } from "./syscalls/faulty_process.ts";

const canTrace = await hasStrace();

Deno.test({
  name: `a node of which a system call fails has all that it acknowledged, and only that (strace${
    canTrace ? "" : " is missing, or may not trace here"
  })`,
  ignore: !canTrace,
  async fn() {
    const directory = await Deno.makeTempDir({ prefix: "chat-syscalls-" });
    const report = await runSyscalls({
      directory,
      targets: [
        { file: "snapshot-00000002.jsonl.new", calls: "sync" },
        { file: "journal-00000002.jsonl", calls: "write" },
      ],
      injections: ["ENOSPC", "SIGKILL"],
      nthMax: 1,
      log() {},
    });
    assertEquals(report.faults, []);
    assertEquals([report.runs, report.injected, report.wentOn], [4, 4, 1]);
    assertGreater(report.acknowledged, 0);
    await Deno.remove(directory, { recursive: true });
  },
});
