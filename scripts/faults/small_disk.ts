import type { ProcessEnd } from "../../server/testing/cluster_processes.ts";

/** Far more than a campaign writes, in bytes: it takes memory only for what is in it. */
const BYTES_MAX = 1024 * 1024 * 1024;
/** What is written between looking how much there is and leaving no room for more makes it fail. */
const FILL_TRIES_MAX = 20;
/** What a node says whose disk is full, by the kernel's word or because only half was written. */
const SAYS_FULL = /^chat: Cannot .*(No space left on device|is the disk full\?)/;
const FILE_SYSTEM = "chat-small-disk";

/**
 * A file system of its own, which outlives the processes that use it, and can be made as small as what
 * is in it: from then on the kernel answers ENOSPC.
 */
export class SmallDisk implements AsyncDisposable {
  readonly path: string;
  #isFull = false;
  /** Whether it was full since the last {@linkcode forgive}. */
  #wasFull = false;

  private constructor(path: string) {
    this.path = path;
  }

  /** undefined, if this system does not permit it. */
  static async mount(path: string): Promise<SmallDisk | undefined> {
    await Deno.mkdir(path);
    const isMounted = await mount("-t", "tmpfs", "-o", `size=${BYTES_MAX}`, FILE_SYSTEM, path);
    return isMounted ? new SmallDisk(path) : undefined;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** Leaves no room, but in the last page of each file. Throws if it does not come to that. */
  async fill(): Promise<void> {
    // Before, so that nobody who meets it is blamed.
    this.#wasFull = true;
    for (let tries = 0; tries < FILL_TRIES_MAX; tries++) {
      const usedBytes = await this.#usedBytes();
      // Size 0 would be no limit.
      if (usedBytes > 0 && await this.#resize(usedBytes)) {
        this.#isFull = true;
        return;
      }
    }
    throw new Error(`Cannot fill ${this.path}: it did not stand still`);
  }

  async free(): Promise<void> {
    this.#isFull = false;
    if (!await this.#resize(BYTES_MAX)) throw new Error(`Cannot free ${this.path}`);
  }

  /** From now on it is no excuse, until it is full again. */
  forgive(): void {
    this.#wasFull = this.#isFull;
  }

  /** Whether a node ended because of it, and as a node should: with 1, and saying why. */
  explains({ code, log }: ProcessEnd): boolean {
    return this.#wasFull && code === 1 && log.some((line) => SAYS_FULL.test(line));
  }

  /** Copies all that it has to a directory that there is not yet. */
  async keep(path: string): Promise<void> {
    await new Deno.Command("cp", { args: ["-R", this.path, path] }).output();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Deno.Command("umount", { args: [this.path] }).output();
  }

  async #resize(bytes: number): Promise<boolean> {
    // What the system knows of its options, such as whose it is, may not be said again.
    const asSaid = ["--options-source", "disable"];
    return await mount(...asSaid, "-o", `remount,size=${bytes}`, FILE_SYSTEM, this.path);
  }

  async #usedBytes(): Promise<number> {
    const args = ["-f", "-c", "%S %b %f", this.path];
    const { stdout } = await new Deno.Command("stat", { args }).output();
    const [blockBytes = 0, blocks = 0, free = 0] = new TextDecoder().decode(stdout).split(" ")
      .map(Number);
    return blockBytes * (blocks - free);
  }
}

/** Whether this process may mount file systems. */
export async function mayMount(): Promise<boolean> {
  const directory = await Deno.makeTempDir({ prefix: "chat-mount-" });
  try {
    await using disk = await SmallDisk.mount(`${directory}/disk`);
    return disk !== undefined;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function mount(...args: readonly string[]): Promise<boolean> {
  const command = new Deno.Command("mount", { args: [...args], stderr: "null", stdout: "null" });
  try {
    return (await command.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
