import { TextLineStream } from "@std/streams";
import type { Message, Orders, Outcome } from "./orders.ts";

/**
 * How attackers give way on a machine that they share with the server: what is measured is what the
 * server lets them do to others, not who gets the processor.
 */
const NICENESS = 10;

/** An attacker of its own process, which has much less of a claim on the processor than the server. */
export class AttackingProcess {
  /** Resolves when all is where it is to be. Rejects if it ends before. */
  readonly inPlace: Promise<void>;
  /** Resolves when it has done all that it was to do, which some never have. */
  readonly done: Promise<void>;
  readonly #child: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;
  readonly #report: Promise<Outcome>;

  constructor(orders: Orders) {
    this.#child = new Deno.Command("nice", {
      args: ["-n", String(NICENESS), Deno.execPath(), ...ARGS],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const inPlace = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    this.inPlace = inPlace.promise;
    this.done = done.promise;
    this.#report = this.#read((message) => {
      if (message.kind === "in_place") inPlace.resolve();
      if (message.kind === "done") done.resolve();
    });
    this.#report.catch((error) => {
      inPlace.reject(error);
      done.reject(error);
    });
    // Whoever waits for them sees the failure.
    this.inPlace.catch(() => {});
    this.done.catch(() => {});
    this.#orders = this.#child.stdin.getWriter();
    void this.#orders.write(new TextEncoder().encode(`${JSON.stringify(orders)}\n`));
  }

  /** Ends the attack; what it has done. */
  async stop(): Promise<Outcome> {
    await this.#orders.close();
    return await this.#report;
  }

  async #read(onMessage: (message: Message) => void): Promise<Outcome> {
    const lines = this.#child.stdout
      .pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    let outcome: Outcome | undefined;
    for await (const line of lines) {
      const message = JSON.parse(line) as Message;
      if (message.kind === "report") outcome = message.outcome;
      else onMessage(message);
    }
    const { code } = await this.#child.status;
    if (outcome === undefined) throw new Error(`An attacker ended with ${code}, and no report`);
    return outcome;
  }
}

const ARGS = [
  ...["run", "--quiet", "--no-prompt", "-P=scripts"],
  ...["--config", new URL("../../deno.json", import.meta.url).pathname],
  new URL("attacker.ts", import.meta.url).pathname,
];
