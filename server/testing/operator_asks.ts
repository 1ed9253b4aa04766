import { askNode, type ControlAnswers, type ControlRequest } from "../operator/control.ts";

const HOUR_MS = 3_600_000;

/** Asks the node that runs on a directory. Throws if none does. */
export async function operatorAsks<K extends ControlRequest["command"]>(
  directory: string,
  request: ControlRequest<K>,
): Promise<ControlAnswers[K]> {
  const answer = await askNode(directory, request);
  if (answer === undefined) throw new Error(`Cannot ask the node of ${directory}: none runs`);
  return answer;
}

/** The one-time token of an account that is made, or whose password is reset. */
export async function tokenFor(
  directory: string,
  command: "account_add" | "account_reset",
  name: string,
  lifetimeMs = HOUR_MS,
): Promise<string> {
  return (await operatorAsks(directory, { command, name, lifetimeMs })).token;
}
