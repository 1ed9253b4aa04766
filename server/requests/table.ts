import {
  type Reply,
  type Request,
  type RequestKind,
  type RequestPayload,
  requests,
} from "../../codec/message.ts";
import type { Account } from "../core/account_table.ts";
import { ping, status, subscribe } from "./connection.ts";
import { costOfDeleting, costOfReading, costOfSending } from "./cost.ts";
import { type Outcome, refuse, type RequestContext, slowDown } from "./context.ts";
import { listConversations } from "./conversation.ts";
import { deleteMessages, listMessages, readMessages, sendMessage } from "./message.ts";
import { redeem } from "./redeem.ts";
import { searchMessages } from "./search.ts";
import {
  changePassword,
  deleteAccount,
  loginName,
  loginPassword,
  logout,
  resume,
} from "./sign_in.ts";
import { listUsers } from "./user.ts";

type Decision = Outcome | Promise<Outcome>;

/** Who may send a request, and what decides it. */
type Handler<K extends RequestKind> =
  | {
    readonly access: "anyone" | "signed_out";
    decide(context: RequestContext, payload: RequestPayload<K>): Decision;
  }
  | {
    readonly access: "signed_in";
    /** How many messages it costs as much as, if it writes. */
    cost?(context: RequestContext, payload: RequestPayload<K>, account: Account): number;
    decide(context: RequestContext, payload: RequestPayload<K>, account: Account): Decision;
  };

/** One row per request: adding one to the protocol without a row here does not compile. */
const handlers: { readonly [K in RequestKind]: Handler<K> } = {
  login_name: { access: "signed_out", decide: loginName },
  login_password: { access: "signed_out", decide: loginPassword },
  resume: { access: "signed_out", decide: resume },
  redeem: { access: "signed_out", decide: redeem },
  send_message: { access: "signed_in", cost: costOfSending, decide: sendMessage },
  read_messages: { access: "signed_in", cost: costOfReading, decide: readMessages },
  list_messages: { access: "signed_in", decide: listMessages },
  search_messages: { access: "signed_in", decide: searchMessages },
  list_users: { access: "signed_in", decide: listUsers },
  list_conversations: { access: "signed_in", decide: listConversations },
  delete_messages: { access: "signed_in", cost: costOfDeleting, decide: deleteMessages },
  delete_account: {
    access: "signed_in",
    decide: (context, _payload, account) => deleteAccount(context, account),
  },
  logout: { access: "signed_in", decide: logout },
  change_password: { access: "signed_in", decide: changePassword },
  subscribe: { access: "signed_in", decide: subscribe },
  ping: { access: "anyone", decide: ping },
  status: { access: "anyone", decide: status },
};

/**
 * Decides a request of a connection that is signed in as `account`, or as nobody. Only passwords
 * take time; all else is decided at once.
 */
export function decide(
  context: RequestContext,
  request: Request,
  account: Account | undefined,
): Decision {
  const handler = handlers[request.kind] as Handler<RequestKind>;
  const payload = request.payload as RequestPayload<RequestKind>;
  if (handler.access === "signed_in") {
    if (account === undefined) return refuse("not_signed_in", "sign in first");
    const cost = (handler.cost as AnyCost | undefined)?.(context, payload, account) ?? 0;
    const waitMs = cost === 0 ? 0 : context.pace.take(account, context.session, cost);
    if (waitMs > 0) return slowDown("this account sends faster than it may", waitMs);
    return (handler.decide as AnyDecide)(context, payload, account);
  }
  if (handler.access === "signed_out" && account !== undefined) {
    return refuse("already_signed_in", "log out first");
  }
  return (handler.decide as AnyDecide)(context, payload, account);
}

/**
 * What is answered to a frame of a session that was told to slow down, and goes on writing, without a
 * look at what it says: whoever does not listen must not cost more than that. Undefined for all else.
 */
export function refuseUnread(
  { session, pace }: RequestContext,
  frameType: number,
  account: Account | undefined,
): Reply | undefined {
  if (session.slowUntilMs === 0 || account === undefined || !WRITES.has(frameType)) {
    return undefined;
  }
  const waitMs = pace.waitMs(session);
  return waitMs === 0 ? undefined : slowDown("this account sends faster than it may", waitMs);
}

/** The types of requests that cost as much as messages. */
const WRITES: ReadonlySet<number> = new Set(
  Object.entries(handlers).filter(([, handler]) => "cost" in handler)
    .map(([kind]) => requests[kind as RequestKind].type),
);

type AnyCost = (
  context: RequestContext,
  payload: RequestPayload<RequestKind>,
  account: Account,
) => number;

/** The table ties each kind to its payload; a lookup by a variable kind cannot express that. */
type AnyDecide = (
  context: RequestContext,
  payload: RequestPayload<RequestKind>,
  account: Account | undefined,
) => Decision;
