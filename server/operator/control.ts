import { join } from "node:path";
import * as v from "valibot";
import { FileError, StorageError } from "../journal/files.ts";
import type {
  AccountChanged,
  AccountPage,
  Refused,
  TokenGiven,
} from "../requests/account_control.ts";

const named = { name: v.string() };
const withToken = { ...named, lifetimeMs: v.pipe(v.number(), v.minValue(0)) };

/**
 * How an operator's commands talk to a node that is running: over a socket in its data directory, which
 * only who may read the data can reach. A line of JSON asks, a line of JSON answers, and that is all:
 *
 * ```json
 * {"command":"account_disable","name":"carol"}
 * {"name":"carol","isNew":true,"copies":3}
 * ```
 *
 * An answer `{"error":"…"}` says why it was not done. These are the fields of what is asked, besides
 * `command`.
 */
const requestShapes = {
  compact: v.object({}),
  position: v.object({}),
  account_add: v.object(withToken),
  account_reset: v.object(withToken),
  account_disable: v.object(named),
  account_enable: v.object(named),
  account_list: v.object({ after: v.exactOptional(v.string()) }),
};

type ControlCommand = keyof typeof requestShapes;
type Fields<K extends ControlCommand> = v.InferOutput<(typeof requestShapes)[K]>;

export type ControlRequest<K extends ControlCommand = ControlCommand> =
  & { readonly command: K }
  & Fields<K>;

export interface ControlAnswers {
  compact: { readonly bytesBefore: number; readonly bytesAfter: number };
  /** What is on disk now, to the byte, and the digest of just that, unless too much is being written. */
  position: {
    readonly segment: number;
    /** Of that segment, with its header. */
    readonly bytes: number;
    readonly digest?: string;
    readonly vector: string;
  };
  account_add: TokenGiven;
  account_reset: TokenGiven;
  account_disable: AccountChanged;
  account_enable: AccountChanged;
  account_list: AccountPage;
}

/** What a node does for its operator. */
export type ControlHandlers = {
  readonly [K in ControlCommand]: (
    fields: Fields<K>,
  ) => ControlAnswers[K] | Refused | Promise<ControlAnswers[K] | Refused>;
};

export const CONTROL_SOCKET = "control.sock";
/** The system's limit for a socket's path, in bytes. */
const PATH_BYTES_MAX = 107;
/** How long to wait after a connection could not be taken, in ms. */
const ACCEPT_AGAIN_MS = 200;
/** So long whoever asks waits: a compaction of ten million messages takes a minute or two. */
const PATIENCE_MS: Partial<Record<ControlCommand, number>> = { compact: 60 * 60 * 1000 };
/** For all else. A change of an account waits for copies, and its token to be hashed in its turn. */
const PATIENCE_DEFAULT_MS = 60_000;
const POSITION_PATIENCE_MS = 10_000;
const REQUEST_BYTES_MAX = 4096;
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** Answers an operator's commands, until it is closed. Throws StorageError. */
export function listenForOperator(
  directory: string,
  handlers: ControlHandlers,
): { close(): void } {
  const path = socketPath(directory);
  try {
    // A process that was killed left it: whoever has the directory's lock may take its place.
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw failed("remove", path, error);
  }
  let listener: Deno.UnixListener;
  try {
    listener = Deno.listen({ transport: "unix", path });
    Deno.chmodSync(path, 0o600);
  } catch (error) {
    throw failed("listen on", path, error);
  }
  void answerAll(listener, handlers);
  return { close: () => listener.close() };
}

/**
 * Asks the node that has this directory open. Undefined if none has. Rejects with StorageError, also if
 * it does not answer within `patienceMs`.
 */
export async function askNode<K extends ControlCommand>(
  directory: string,
  request: ControlRequest<K>,
  patienceMs = PATIENCE_MS[request.command] ?? PATIENCE_DEFAULT_MS,
): Promise<ControlAnswers[K] | undefined> {
  const { command } = request;
  const path = socketPath(directory);
  let conn: Deno.UnixConn;
  try {
    conn = await Deno.connect({ transport: "unix", path });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.ConnectionRefused) return undefined;
    // It stopped listening just now.
    if (error instanceof Deno.errors.ConnectionReset) return undefined;
    throw failed("connect to", path, error);
  }
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    conn.close();
  }, patienceMs);
  try {
    await conn.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
    const line = await readLine(conn, ANSWER_BYTES_MAX);
    if (line === undefined) throw unanswered(command);
    const answer = parseAnswer(line, command);
    if (typeof answer.error === "string") throw new StorageError(answer.error);
    return answer;
  } catch (error) {
    if (!isLate) throw isGone(error) ? unanswered(command) : error;
    throw new StorageError(
      `Cannot ${command}: the node runs, and has not answered for ${
        patienceMs / 1000
      } s. Is it paused?`,
    );
  } finally {
    clearTimeout(timer);
    if (!isLate) conn.close();
  }
}

/** How far the node has got that runs on a directory with these names; undefined if none does. */
export async function askPosition(
  directory: string,
  names: readonly string[],
): Promise<ControlAnswers["position"] | undefined> {
  if (!names.includes(CONTROL_SOCKET)) return undefined;
  return await askNode(directory, { command: "position" }, POSITION_PATIENCE_MS);
}

function parseAnswer(line: string, command: ControlCommand) {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new StorageError(`Cannot ${command}: the node answered what is no JSON. Is it older?`);
  }
}

async function answerAll(listener: Deno.UnixListener, handlers: ControlHandlers): Promise<void> {
  for (;;) {
    try {
      void answer(await listener.accept(), handlers);
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return;
      if (error instanceof Deno.errors.Interrupted) return;
      // Out of file descriptors, say: clients must not suffer from it.
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_AGAIN_MS));
    }
  }
}

async function answer(conn: Deno.UnixConn, handlers: ControlHandlers): Promise<void> {
  try {
    const line = await readLine(conn, REQUEST_BYTES_MAX);
    const text = JSON.stringify(await answerTo(line ?? "", handlers));
    const bytes = new TextEncoder().encode(`${text}\n`);
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
  } catch (error) {
    // Whoever asked has gone: there is nobody to tell.
    if (!isGone(error)) throw error;
  } finally {
    conn.close();
  }
}

async function answerTo(line: string, handlers: ControlHandlers): Promise<unknown> {
  const request = parseRequest(line);
  if (request === undefined) {
    return { error: "the node that runs does not know this command: is it older?" };
  }
  try {
    const handle = handlers[request.command] as (fields: object) => unknown;
    return await handle(request);
  } catch (error) {
    if (error instanceof StorageError) return { error: error.message };
    throw error;
  }
}

/** What is asked, wholly checked; undefined if this node cannot be asked that. */
function parseRequest(line: string): ControlRequest | undefined {
  try {
    const asked = JSON.parse(line);
    const command = Object.keys(requestShapes).find((one) => one === asked.command);
    if (command === undefined) return undefined;
    const fields = v.safeParse(requestShapes[command as ControlCommand], asked);
    return fields.success ? { ...fields.output, command } as ControlRequest : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function unanswered(command: ControlCommand): StorageError {
  return new StorageError(`Cannot ${command}: the node ended before it had answered`);
}

/** Whether a failure only says that the other side is no more. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset;
}

/** A line without its newline; undefined if the other side ends before there is one. */
async function readLine(conn: Deno.UnixConn, bytesMax: number): Promise<string | undefined> {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(4096);
  let text = "";
  while (text.length < bytesMax) {
    const read = await conn.read(chunk);
    if (read === null) return undefined;
    text += decoder.decode(chunk.subarray(0, read), { stream: true });
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end);
  }
  return undefined;
}

function socketPath(directory: string): string {
  const path = join(directory, CONTROL_SOCKET);
  const bytes = new TextEncoder().encode(path).length;
  if (bytes <= PATH_BYTES_MAX) return path;
  throw new StorageError(
    `Cannot use ${path} as a socket: it has ${bytes} bytes, the system takes ${PATH_BYTES_MAX}. ` +
      "Start the node and its commands in a directory nearer to its data.",
  );
}

function failed(action: string, path: string, error: unknown): FileError {
  const reason = error instanceof Error ? error.message : String(error);
  return new FileError(action, path, reason, undefined);
}
