import { fromSource, ServerProcess, unusedPort } from "../../server/testing/server_process.ts";
import type { Host } from "../connection.ts";

/** A real node with scratch data: it can be killed, and comes back at the same address. */
export class ScratchNode implements AsyncDisposable {
  /** A directory that goes when the node does. */
  readonly scratch: string;
  readonly host: Host;
  #server: ServerProcess;

  private constructor(scratch: string, server: ServerProcess) {
    this.scratch = scratch;
    this.host = { host: "127.0.0.1", port: server.port };
    this.#server = server;
  }

  static async start(): Promise<ScratchNode> {
    const scratch = await Deno.makeTempDir({ prefix: "chat-test-" });
    return new ScratchNode(scratch, await ServerProcess.start(fromSource, scratch, unusedPort()));
  }

  async kill(): Promise<void> {
    await this.#server.stop("SIGKILL");
  }

  async startAgain(): Promise<void> {
    this.#server = await ServerProcess.start(fromSource, this.scratch, this.host.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    await Deno.remove(this.scratch, { recursive: true });
  }
}
