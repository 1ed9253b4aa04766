/** Alice and Bob, on three real nodes. */

import { assertEquals } from "@std/assert";
import type { ReplyPayload } from "../../codec/message.ts";
import { ClusterProcesses } from "./cluster_processes.ts";
import { fromSource } from "./server_process.ts";
import { type Credentials, signUp, WireClient } from "./wire_client.ts";

export const CONVERGENCE_MS_MAX = 10_000;
const PASSWORD = "correct horse";

/** Three nodes, and alice and bob, who are known on all of them. */
export class Town {
  readonly cluster: ClusterProcesses;
  readonly #alice: Credentials;
  readonly #bob: Credentials;

  private constructor(cluster: ClusterProcesses, alice: Credentials, bob: Credentials) {
    this.cluster = cluster;
    this.#alice = alice;
    this.#bob = bob;
  }

  static async found(cluster: ClusterProcesses): Promise<Town> {
    const { port } = cluster.node(0);
    const names = ["alice", "bob"];
    const [alice, bob] = await Promise.all(names.map((name) => signUp(port, name, PASSWORD)));
    if (alice === undefined || bob === undefined) throw new Error("Cannot sign up");
    await cluster.converged(CONVERGENCE_MS_MAX);
    return new Town(cluster, alice, bob);
  }

  /** A connection to one node, signed in. */
  alice(node: number): Promise<WireClient> {
    return WireClient.resumed(this.cluster.node(node).port, this.#alice);
  }

  bob(node: number): Promise<WireClient> {
    return WireClient.resumed(this.cluster.node(node).port, this.#bob);
  }

  /** From alice to bob, on one node. */
  async send(node: number, content: string): Promise<ReplyPayload<"sent">> {
    return await this.#send(await this.alice(node), "bob", content);
  }

  /** From bob to alice. */
  async answer(node: number, content: string): Promise<ReplyPayload<"sent">> {
    return await this.#send(await this.bob(node), "alice", content);
  }

  async delete(node: number, id: string): Promise<void> {
    const client = await this.alice(node);
    const { count } = await client.expect("done", { kind: "delete_messages", payload: [id] });
    assertEquals(count, 1);
    client.close();
  }

  /** Of their conversation, as one node has it, oldest first. */
  async contents(node: number): Promise<string[]> {
    const client = await this.bob(node);
    const payload = { with: "alice" };
    const messages = await client.expect("messages", { kind: "list_messages", payload });
    client.close();
    return messages.map(({ content }) => content);
  }

  async #send(client: WireClient, to: string, content: string): Promise<ReplyPayload<"sent">> {
    const sent = await client.expect("sent", { kind: "send_message", payload: { to, content } });
    client.close();
    return sent;
  }
}

/** A test on a cluster of its own, whose nodes must not have had a mishap. */
export function scenario(name: string, play: (town: Town) => Promise<void>): void {
  Deno.test(name, async () => {
    const directory = await Deno.makeTempDir({ prefix: "chat-scenario-" });
    {
      await using cluster = await ClusterProcesses.start({ program: fromSource, directory });
      try {
        await play(await Town.found(cluster));
      } catch (cause) {
        // A node that is gone explains what its clients met with.
        const mishaps = cluster.nodes.flatMap((node) => node.takeMishaps()).join("; ");
        throw new Error(`see ${directory}; mishaps: ${mishaps || "none"}`, { cause });
      }
      for (const node of cluster.nodes) assertEquals(node.takeMishaps(), []);
    }
    await Deno.remove(directory, { recursive: true });
  });
}
