import { client } from "./client.ts";
import type { Command } from "./command.ts";
import { deleteCommand } from "./delete.ts";
import { history } from "./history.ts";
import { inbox } from "./inbox.ts";
import { send } from "./send.ts";
import { status } from "./status.ts";
import { tail } from "./tail.ts";
import { users } from "./users.ts";

/** Every command of the client. */
export const commands: readonly Command[] = [
  client,
  send,
  inbox,
  history,
  users,
  tail,
  deleteCommand,
  status,
];
