import type { sendUnaryData, ServerUnaryCall, UntypedServiceImplementation } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import type { RefusalCode, Reply } from "../codec/message.ts";
import type { Commit } from "./commit.ts";
import type { Account } from "./core/account_table.ts";
import type { Log } from "./log.ts";
import type { Outcome } from "./requests/context.ts";
import {
  deleteMessages,
  findUser,
  type MessageContext,
  noSuchUser,
  readMessages,
  sendMessage,
} from "./requests/message.ts";
import { statusError } from "./sync/grpc.ts";

interface NewMessage {
  readonly sender: string;
  readonly recipient: string;
  readonly content: string;
  readonly key: string;
}

/**
 * The methods of proto/sync.proto for programs other than nodes. Whoever reaches the port for nodes
 * is trusted like a node: each call is decided as a request of the user it names.
 */
export function pushService(
  context: MessageContext,
  commit: Commit,
  isServing: () => boolean,
  log: Log,
): UntypedServiceImplementation {
  const handler =
    <R>(name: (request: R) => string, decide: (request: R, as: Account) => Outcome) =>
    (call: ServerUnaryCall<R, unknown>, reply: sendUnaryData<unknown>) => {
      const { request } = call;
      if (!isServing()) {
        return reply(
          statusError(status.UNAVAILABLE, "this node is starting or stopping: try another"),
        );
      }
      const account = findUser(context.state, name(request));
      const outcome = account === undefined ? noSuchUser(name(request)) : decide(request, account);
      if ("kind" in outcome && outcome.kind === "error") tellRefusal(log, call, outcome);
      void answer(commit, outcome, reply);
    };
  return {
    SyncNewMessage: handler<NewMessage>(({ sender }) => sender, (request, account) => {
      const { recipient: to, content, key } = request;
      return sendMessage(context, { to, content, ...(key !== "" && { key }) }, account);
    }),
    SyncReadStatus: handler<{ reader: string; ids: string[] }>(
      ({ reader }) => reader,
      ({ ids }, account) => readMessages(context, ids, account),
    ),
    SyncDelete: handler<{ user: string; ids: string[] }>(
      ({ user }) => user,
      ({ ids }, account) => deleteMessages(context, ids, account),
    ),
  };
}

function tellRefusal(
  log: Log,
  call: ServerUnaryCall<unknown, unknown>,
  { payload: { code } }: Extract<Reply, { kind: "error" }>,
): void {
  const request = call.getPath().split("/").at(-1);
  const address = call.getPeer().replace(/:\d+$/, "");
  log(`refused ${request}: ${code}`, { event: "refused", address, request, code });
}

async function answer(
  commit: Commit,
  outcome: Outcome,
  reply: sendUnaryData<unknown>,
): Promise<void> {
  let told: Reply;
  if ("withCopies" in outcome) {
    await commit.untilCopied();
    told = outcome.withCopies(commit.copiesOf(outcome.of));
  } else told = outcome;
  if (told.kind !== "error") return reply(null, told.payload);
  const { code, sentence } = told.payload;
  reply(statusError(statusOf(code), `${code}: ${sentence}`));
}

function statusOf(code: string): number {
  const missing: readonly string[] = ["no_such_user", "no_such_message"] satisfies RefusalCode[];
  return missing.includes(code) ? status.NOT_FOUND : status.INVALID_ARGUMENT;
}
