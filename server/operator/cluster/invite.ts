import { UsageError } from "../../../command_line/usage_error.ts";
import { denoFiles } from "../../journal/deno_files.ts";
import { EXIT_DONE, type OperatorCommand } from "../command.ts";
import { dateText } from "./authority.ts";
import {
  directoryOf,
  INVITATION_DAYS,
  invitationOf,
  inviteOf,
  readAuthority,
  readCaCertificate,
  readMaster,
} from "./cluster_directory.ts";

const DAYS_MAX = 3650;

export const clusterInviteCommand: OperatorCommand = {
  operands: { usage: "DIR", min: 1, max: 1, path: "directory" },
  description: [
    "DIR is what chat cluster init made. The line has the addresses of all nodes and the certificate " +
    "of the cluster's CA, by which a client knows them: send it by a way that nobody can change. Where " +
    'DIR/servers.json has "registration": "invite", whoever has it may make accounts, for N days.',
    "DIR/invite has one, too, made with the folders.",
  ],
  examples: [
    {
      command: "chat cluster invite lab > invite",
      explains: "For chat client --invite invite, which takes the line itself or a file.",
    },
    { command: "chat cluster invite lab --days 30", explains: "With a month for signing up." },
  ],
  exits: [["1", "The CA's certificate, or its key where one is needed, cannot be used."]],
  seeAlso: ["chat cluster init", "chat client", "docs/OPERATIONS.md"],
  options: ["days", "help"],
  async run({ operands, options, output }) {
    const directory = directoryOf(operands);
    const days = daysOf(options.text("days"));
    const { config } = await readMaster(denoFiles, directory);
    const ca = await readCaCertificate(denoFiles, directory);
    const nowMs = Date.now();
    const invitation = config.registration === "invite"
      ? invitationOf(config, await readAuthority(denoFiles, directory, nowMs), { days, nowMs })
      : undefined;
    if (invitation !== undefined) {
      const end = dateText(invitation.expiresMs);
      output.note(`chat: whoever has it may make accounts until ${end}`);
    } else if (options.has("days")) {
      output.note(`chat: registration is ${config.registration}: the invite never ends`);
    }
    await output.write(`${inviteOf(config, ca, invitation)}\n`);
    return EXIT_DONE;
  },
};

function daysOf(text: string | undefined): number {
  if (text === undefined) return INVITATION_DAYS;
  const days = /^\d+$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= DAYS_MAX) return days;
  throw new UsageError(`--days ${text}: expected a whole number from 1 to ${DAYS_MAX}`);
}
