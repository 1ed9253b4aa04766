import { fromSource, type Program } from "../../server/testing/server_process.ts";

/** What a system call does instead of what it should. */
export type Injection = "EIO" | "ENOSPC" | "SIGKILL";

/** Which call fails: the n-th of a thread that one of these calls makes on this file, from 1. */
export interface Target {
  /** In the data directory; "" is the directory. */
  readonly file: string;
  readonly calls: "write" | "sync" | "rename" | "remove";
}

const SYSTEM_CALLS: Record<Target["calls"], string> = {
  write: "write,pwrite64",
  sync: "fdatasync,fsync",
  rename: "rename,renameat,renameat2",
  remove: "unlink,unlinkat",
};

/** Runs the server so that strace lets one of its calls fail; `log` is where strace says so. */
export function failing(
  directory: string,
  { file, calls }: Target,
  injection: Injection,
  nth: number,
  log: string,
): Program {
  const names = SYSTEM_CALLS[calls];
  const fault = injection === "SIGKILL" ? "signal=SIGKILL" : `error=${injection}`;
  const path = file === "" ? directory : `${directory}/${file}`;
  return {
    command: "strace",
    args: [
      // The server is the child, and gets the signals; strace watches from aside.
      ...["-D", "-f", "-qq", "-o", log, "-P", path],
      // Stopped only at these calls it is faster, but then no signal can be sent to it.
      ...(injection === "SIGKILL" ? [] : ["--seccomp-bpf"]),
      ...["-e", `trace=${names}`, "-e", `inject=${names}:${fault}:when=${nth}`],
      ...[fromSource.command, ...fromSource.args],
    ],
  };
}

/** Whether strace's log tells of a call that failed. */
export function wasInjected(log: string): boolean {
  return log.includes("(INJECTED)");
}

export async function hasStrace(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("strace", {
      args: ["-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "true"],
      stderr: "null",
    }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
