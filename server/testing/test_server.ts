import type { ScryptCost } from "../auth/password.ts";
import { type Registration, ServerConfig } from "../config.ts";
import type { Limits } from "../limits.ts";
import type { LogFacts } from "../log.ts";
import { type RunningServer, startServer } from "../serve.ts";

/** Hashing that takes a millisecond: tests sign up many. */
export const CHEAP: ScryptCost = { n: 2 ** 4, r: 1, p: 1 };

export interface TestServer extends RunningServer, AsyncDisposable {
  readonly directory: string;
  /** What it told its operator: the sentences, and all of it. */
  readonly log: readonly string[];
  readonly told: readonly ToldLine[];
}

export interface ToldLine extends LogFacts {
  readonly sentence: string;
}

export interface TestServerOptions {
  readonly limits?: Partial<Limits>;
  /** Data that is there already, and stays. */
  readonly directory?: string;
  readonly registration?: Exclude<Registration, "invite">;
  /** For those who measure what hashing costs. */
  readonly cost?: ScryptCost;
}

/** A real server on a free port, its data in a directory of its own that goes when it does. */
export async function testServer(
  { limits = {}, directory, registration = "open", cost = CHEAP }: TestServerOptions = {},
): Promise<TestServer> {
  const dataDirectory = directory ?? await Deno.makeTempDir({ prefix: "chat-test-" });
  const log: string[] = [];
  const told: ToldLine[] = [];
  const anyPort = { host: "127.0.0.1", port: 0 };
  const nodes = [{ name: "node1", tcp: anyPort, grpc: anyPort }];
  const config = ServerConfig.parse(
    JSON.stringify({ registration, nodes }),
    "the test's configuration",
  );
  const server = await startServer({
    config,
    node: config.getCurrentNode("node1"),
    dataDirectory,
    version: "0.0.0-test",
    log(sentence, facts) {
      log.push(sentence);
      told.push({ sentence, ...facts });
    },
    limits,
    passwordCost: cost,
  });
  return {
    ...server,
    directory: dataDirectory,
    ...{ log, told },
    async [Symbol.asyncDispose]() {
      await server.stop();
      const bug = told.find(({ event }) => event === "bug");
      if (bug !== undefined) throw new Error(bug.sentence);
      if (directory === undefined) await Deno.remove(dataDirectory, { recursive: true });
    },
  };
}
