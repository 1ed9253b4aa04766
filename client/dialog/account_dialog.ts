import type { ChatClient } from "../connection.ts";
import type { Dialog } from "./dialog.ts";
import { askNewPassword } from "./sign_in_dialog.ts";

/** Asks for the old password and a new one, and changes it; or not, if the person will not say. */
export async function changePasswordDialog(client: ChatClient, dialog: Dialog): Promise<void> {
  const old = await dialog.ask("Old password: ", { isHidden: true });
  if (old === undefined) return;
  const password = await askNewPassword(dialog);
  if (password === undefined) return;
  await client.changePassword(old, password);
  dialog.print("Changed. Your other sessions have ended.");
}

/** Deletes the account if the person types its name. Whether it is deleted. */
export async function deleteAccountDialog(client: ChatClient, dialog: Dialog): Promise<boolean> {
  const { user } = client.session;
  const answer = await dialog.ask(
    "This deletes you and all your messages, for all. Type your name to do it: ",
  );
  if (answer !== user) {
    dialog.print("You stay");
    return false;
  }
  await client.deleteAccount();
  return true;
}
