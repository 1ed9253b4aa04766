import type { TmuxPane } from "./tmux_pane.ts";

/** Answers what a client on a terminal asks of somebody new, from the name on. */
export async function answerSignUp(pane: TmuxPane, user: string, password: string): Promise<void> {
  await pane.until("Name:");
  await pane.enter(user);
  await pane.until(`There is no account "${user}". Create it? [y/N]`);
  await pane.enter("y");
  await pane.until("New password:");
  await pane.enter(password);
  await pane.until("The same again:");
  await pane.enter(password);
}
