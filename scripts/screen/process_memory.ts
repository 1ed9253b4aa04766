export interface ProcessMemory {
  readonly pid: number;
  readonly name: string;
  /** In memory now, and at most since it began. */
  readonly rssBytes: number;
  readonly rssBytesMax: number;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly rss: number;
}

/** Of the largest process among `root` and all that it started: launchers are small. */
export async function memoryOfLargest(root: number): Promise<ProcessMemory> {
  const processes = await listProcesses();
  const family = new Set([root]);
  // A process may stand before its parent.
  for (let size = 0; size !== family.size;) {
    size = family.size;
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid);
  }
  const [largest] = processes.filter(({ pid }) => family.has(pid)).sort((a, b) => b.rss - a.rss);
  if (largest === undefined) throw new Error(`Cannot measure process ${root}: it has ended`);
  // By a program: Deno itself reads /proc only with all permissions.
  const status = await outputOf("cat", `/proc/${largest.pid}/status`);
  const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)?.[1] ?? "";
  return {
    pid: largest.pid,
    name: field("Name"),
    rssBytes: Number(field("VmRSS")) * 1024,
    rssBytesMax: Number(field("VmHWM")) * 1024,
  };
}

async function listProcesses(): Promise<Process[]> {
  const lines = (await outputOf("ps", "-e", "-o", "pid=,ppid=,rss=")).trim().split("\n");
  return lines.map((line) => {
    const [pid = 0, parent = 0, rss = 0] = line.trim().split(/\s+/).map(Number);
    return { pid, parent, rss };
  });
}

async function outputOf(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot run ${program}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
