import { printable } from "../../codec/printable.ts";
import type { ChatMessage, Reply, Request } from "../../codec/message.ts";
import type { Host } from "../connection.ts";
import { statusOf } from "./node_status.ts";
import { type Peer, ScriptedServer } from "./scripted_server.ts";

/** A colour that no program here uses, so that it is known for what it is wherever it comes through. */
export const FOREIGN_STYLE = "\x1b[7;7;7m";
/** A word in every hostile text, by which its place in what is shown is found. */
export const EVIL = "EVIL";

/** What could move a cursor, set a title or a clipboard, hide text or change its order, or look like a line of ours. */
export const HOSTILE_TEXT = [
  `${FOREIGN_STYLE}${EVIL}`,
  "\x1b[2J\x1b[1;1H\x1b]0;title\x07\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
  "\x1b]52;c;ZXZpbA==\x07\x1b]9;4;1;1\x1b\\\x1bP+q\x1b\\\x1bc\x9b31m\x9d0;t\x9c\x84\x85\x7f\b\b",
  "\u202egnp.exe\u202c\u2066\u2069\u200e\u200b\ufeff\u00ad\u2028\u2029\u{e0041}\u3164\ufff9",
  `e${"\u0301".repeat(60)}`,
  "\r\n2026-01-01 00:00 alice: forged\tline\r",
].join("");

/** The same, short enough to be taken for somebody's name. */
export const HOSTILE_NAME =
  `${FOREIGN_STYLE}${EVIL}\x1b[2J\x1b]52;c;ZQ==\x07\x9b1m\u202e\u200b\u2028\u{e0041}\r\n\u3164`;

/**
 * A server that lets anybody in, and puts the hostile text wherever there is room for text. With
 * `refuses`, all but the sign-in is refused with it.
 */
export class HostileServer implements Disposable {
  readonly #server = new ScriptedServer();
  readonly #refuses: boolean;
  readonly #serving: Promise<void>;

  constructor({ refuses = false } = {}) {
    this.#refuses = refuses;
    this.#serving = this.#serve();
  }

  get host(): Host {
    return this.#server.host;
  }

  [Symbol.dispose](): void {
    this.#server[Symbol.dispose]();
  }

  async #serve(): Promise<void> {
    for await (const peer of this.#server.connections()) void this.#answer(peer);
  }

  async #answer(peer: Peer): Promise<void> {
    try {
      for (let request = await peer.next(); request !== undefined; request = await peer.next()) {
        await peer.reply(this.#replyTo(request));
        if (request.kind === "ping") await tellAll(peer);
      }
    } catch (error) {
      // Who was told enough hangs up.
      const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
      const gone = [BadResource, BrokenPipe, ConnectionReset, Interrupted];
      if (!gone.some((kind) => error instanceof kind)) throw error;
    }
  }

  #replyTo({ kind, payload }: Request): Reply {
    const [text, name] = [HOSTILE_TEXT, HOSTILE_NAME];
    // Whoever asks on from the last would else be told for ever.
    const isFirst = !/"(after|before)":/.test(JSON.stringify(payload) ?? "");
    const isSignIn = ["login_name", "login_password", "resume", "redeem"].includes(kind);
    if (this.#refuses && !isSignIn) {
      return {
        kind: "error",
        payload: { code: `busy${text.replaceAll(":", ";")}`, sentence: text },
      };
    }
    switch (kind) {
      case "login_name":
        return { kind: "user_existing", payload: null };
      case "login_password":
      case "resume":
      case "redeem":
        return {
          kind: "login_success",
          payload: { user: name, node: text, unread: 1, token: text, time: 1_700_000_000_000 },
        };
      case "send_message":
        return { kind: "sent", payload: { id: text, time: 1_700_000_000_000, copies: 1 } };
      case "list_messages":
        return { kind: "messages", payload: isFirst ? [message("1")] : [] };
      case "search_messages":
        return { kind: "found", payload: { messages: isFirst ? [message("1")] : [] } };
      case "list_users":
        return {
          kind: "users",
          payload: isFirst ? [{ name, unread: 1, online: true }] : [],
        };
      case "list_conversations":
        return {
          kind: "conversations",
          payload: [{ name, unread: 1, online: true, time: 1_700_000_000_000 }],
        };
      case "status":
        return { kind: "status", payload: hostileStatus() };
      case "ping":
        return { kind: "pong", payload: null };
      case "read_messages":
      case "delete_messages":
      case "delete_account":
      case "logout":
      case "change_password":
      case "subscribe":
        return { kind: "done", payload: { count: 1, copies: 1, cursor: text, token: text } };
      default:
        return kind satisfies never;
    }
  }
}

async function tellAll(peer: Peer): Promise<void> {
  const [name, cursor] = [HOSTILE_NAME, HOSTILE_TEXT];
  await peer.event({ kind: "message", payload: { ...message("2"), cursor } });
  await peer.event({ kind: "presence", payload: { name, online: true, cursor } });
  await peer.event({ kind: "read", payload: { reader: name, ids: [HOSTILE_TEXT], cursor } });
  await peer.event({ kind: "renamed", payload: { from: name, to: `${name}2`, cursor } });
  await peer.event({ kind: "deleted", payload: { ids: [HOSTILE_TEXT], cursor } });
  await peer.event({ kind: "message", payload: { ...message("3"), cursor } });
}

function message(id: string): ChatMessage {
  return {
    ...{ id: HOSTILE_TEXT + id, sender: HOSTILE_NAME, recipient: HOSTILE_NAME },
    ...{ content: HOSTILE_TEXT, time: 1_700_000_000_000, status: "unread" },
  };
}

function hostileStatus() {
  const text = HOSTILE_TEXT;
  const unreachable = { state: "unreachable", behind: 1, ahead: 1 } as const;
  return statusOf(text, {
    ...{ version: text, origin: text, digest: text, warnings: [text] },
    vector: new Map([[text, 1]]),
    peers: [{ name: text, why: text, version: text, ...unreachable }],
  });
}

const ESC = "\x1b";
const COLOUR = new RegExp(`${ESC}\\[[\\d;]*m`, "g");
/** What a program sends that draws: how the cursor moves, what the terminal is asked for, a bell. */
const SCREEN = [
  new RegExp(`${ESC}\\[[?>=]?[\\d;]*[ -/]*[@-~]`, "g"),
  new RegExp(`${ESC}[=>78]`, "g"),
  // A notification is the only one of its kind that is ours, and a semicolon in it would begin another.
  new RegExp(`${ESC}\\]9;[^\\p{Cc};]*${ESC}\\\\`, "gu"),
  "\x07",
  "\b",
];

/**
 * What of `output` could act on a terminal, and is neither an end of line nor the program's own: colours,
 * and with `isScreen` whatever else a program that draws sends.
 */
export function unsafeIn(output: string, { isTerminal = false, isScreen = false } = {}): string[] {
  if (output.includes(FOREIGN_STYLE)) return [FOREIGN_STYLE];
  let rest = output.replaceAll("\n", "");
  if (isTerminal) rest = rest.replaceAll("\r", "").replaceAll(COLOUR, "");
  if (isScreen) { for (const own of SCREEN) rest = rest.replaceAll(own, ""); }
  const heaps = rest.match(/\p{M}{17,}/gu) ?? [];
  const acting = [...rest].filter((one) => printable(one) !== one);
  return [...heaps, ...acting].map((one) => JSON.stringify(one));
}
