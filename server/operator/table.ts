import type { OperatorRow } from "./command.ts";

/** Every command for who runs a node. */
export const operatorCommands: readonly OperatorRow[] = [
  {
    name: "account add",
    summary: "Makes an account, and a one-time token by which its owner signs in first.",
    load: async () => (await import("./account.ts")).accountAddCommand,
  },
  {
    name: "account reset",
    summary: "Makes a one-time token for who has forgotten their password.",
    load: async () => (await import("./account.ts")).accountResetCommand,
  },
  {
    name: "account disable",
    summary: "Shuts somebody out, on every node at once.",
    load: async () => (await import("./account.ts")).accountDisableCommand,
  },
  {
    name: "account enable",
    summary: "Lets in again who was shut out.",
    load: async () => (await import("./account.ts")).accountEnableCommand,
  },
  {
    name: "account list",
    summary: "Lists all accounts, and which of them are disabled.",
    load: async () => (await import("./account_list.ts")).accountListCommand,
  },
  {
    name: "compact",
    summary: "Replaces a node's journal by a snapshot of what is in it.",
    load: async () => (await import("./compact.ts")).compactCommand,
  },
  {
    name: "export",
    summary:
      "Writes a node's accounts and messages as plain JSON lines, for import or anything else.",
    load: async () => (await import("./export.ts")).exportCommand,
  },
  {
    name: "import",
    summary: "Brings exported accounts and messages into the data of a node that is stopped.",
    load: async () => (await import("./import.ts")).importCommand,
  },
  {
    name: "log verify",
    summary: "Checks every line of a node's data, and says what is wrong and where.",
    load: async () => (await import("./log_verify.ts")).logVerifyCommand,
  },
  {
    name: "backup",
    summary: "Copies a node's data into a directory, and checks every line of it.",
    load: async () => (await import("./backup.ts")).backupCommand,
  },
  {
    name: "restore",
    summary: "Makes a node's data directory from a backup.",
    load: async () => (await import("./restore.ts")).restoreCommand,
  },
  {
    name: "cluster init",
    summary: "Makes what each machine of a new cluster needs: certificates, configuration, unit.",
    load: async () => (await import("./cluster/init.ts")).clusterInitCommand,
  },
  {
    name: "cluster add-node",
    summary: "Makes what one more machine of a cluster needs.",
    load: async () => (await import("./cluster/add_node.ts")).clusterAddNodeCommand,
  },
  {
    name: "cluster renew",
    summary: "Gives nodes of a cluster new certificates, and their folders what servers.json says.",
    load: async () => (await import("./cluster/renew.ts")).clusterRenewCommand,
  },
  {
    name: "cluster invite",
    summary: "Prints the line of text by which users find a cluster, and know it.",
    load: async () => (await import("./cluster/invite.ts")).clusterInviteCommand,
  },
];
