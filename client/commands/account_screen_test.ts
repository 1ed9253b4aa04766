/** One-time tokens and disabled accounts, as somebody at a terminal sees them: real node, real processes. */

import { assertNotMatch } from "@std/assert";
import { operatorAsks, tokenFor } from "../../server/testing/operator_asks.ts";
import { tryPassword } from "../../server/testing/sign_in_tries.ts";
import { ScratchNode } from "../testing/scratch_node.ts";
import { DESK_PASSWORD, ScreenDesk } from "../testing/screen_desk.ts";
import { hasTmux } from "../testing/tmux_pane.ts";
import { until } from "../../server/testing/until.ts";

const ignore = !await hasTmux();
if (ignore) console.log("The tests of accounts on a terminal are skipped: tmux is not installed");

const NEW = "battery staple";

for (const options of [[], ["--plain"]]) {
  Deno.test({
    name: `client on a terminal chooses a password with a one-time token ${options}`,
    ignore,
    async fn() {
      await using node = await ScratchNode.start();
      await using desk = await ScreenDesk.open();
      const { pane } = desk;
      const data = `${node.scratch}/data`;
      await desk.signUp("alice", [node.host], ...options);
      const token = await tokenFor(data, "account_reset", "alice");
      // The session ends by itself, and says so.
      await pane.until("Cannot go on as alice: the session was ended");
      await pane.until(/\$$/);

      await desk.start([node.host], "--user", "alice", ...options);
      await pane.until("Password:");
      await pane.enter(DESK_PASSWORD);
      await pane.until("the password is wrong");
      await pane.until(/Password:$/);
      await pane.enter(token);
      await pane.until("That was a one-time token");
      await pane.until("New password:");
      await pane.enter(NEW);
      await pane.until("The same again:");
      await pane.enter(NEW);
      await pane.until("alice on ");
      assertNotMatch(await pane.screen(), new RegExp(`${token}|${NEW}`));
      await until(async () => await tryPassword(node.host.port, "alice", NEW) === "login_success");

      await operatorAsks(data, { command: "account_disable", name: "alice" });
      await pane.until("Cannot go on as alice: the operator has disabled this account");
      await pane.until(/\$$/);
      await pane.enter("echo ended with $?");
      await pane.until("ended with 4\n");
    },
  });
}
