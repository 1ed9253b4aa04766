import { join } from "node:path";
import type { NodeConfig } from "../../config.ts";
import type { Files } from "../../journal/files.ts";
import { issueCertificate } from "./certificates.ts";
import {
  CONFIG_FILE,
  folderOf,
  type Invitation,
  INVITATION_DAYS,
  invitationOf,
  INVITE_FILE,
  inviteOf,
  type Master,
  readAuthority,
} from "./cluster_directory.ts";
import type { ChangedNode } from "./next_steps.ts";
import { TLS_FILES } from "./plan.ts";
import { readFileIfThere, replaceFiles } from "./written_files.ts";

/** What the folders of a cluster are made anew from. */
export interface Rewriting {
  readonly files: Files;
  readonly directory: string;
  readonly master: Master;
  /** Whether this node gets a new certificate; one that has none gets one anyway. */
  readonly isRenewed: (node: NodeConfig) => boolean;
  readonly nowMs: number;
}

export interface Rewritten {
  /** Those nodes in whose folders anything is new. */
  readonly changed: readonly ChangedNode[];
  /** The one in the invite. */
  readonly invitation: Invitation | undefined;
}

/**
 * Writes what `master` says into the folders and the invite, and last of all `servers.json`, so that
 * whoever is interrupted can do it again. Rejects with StorageError, also if the CA cannot issue anything.
 */
export async function rewriteFolders(rewriting: Rewriting): Promise<Rewritten> {
  const { files, directory, master, isRenewed, nowMs } = rewriting;
  const authority = await readAuthority(files, directory, nowMs);
  const { config } = master;
  const texts = new Map<string, string>();
  for (const node of config.nodes) {
    const isNew = isRenewed(node) || !await hasCertificate(files, join(directory, node.name));
    const pair = isNew ? await issueCertificate(authority, node, nowMs) : undefined;
    for (const [path, text] of folderOf(node, master, authority.certificate, pair)) {
      texts.set(path, text);
    }
  }
  const invitation = invitationOf(config, authority, { days: INVITATION_DAYS, nowMs });
  texts.set(INVITE_FILE, `${inviteOf(config, authority.certificate, invitation)}\n`);
  texts.set(CONFIG_FILE, master.text);
  const paths = await replaceFiles(files, directory, texts);
  const changed = config.nodes.map((node) => {
    const folder = `${node.name}/`;
    const own = paths.filter((path) => path.startsWith(folder));
    return { node, files: own.map((path) => path.slice(folder.length)) };
  });
  return { changed: changed.filter((one) => one.files.length > 0), invitation };
}

async function hasCertificate(files: Files, folder: string): Promise<boolean> {
  for (const name of [TLS_FILES.cert, TLS_FILES.key]) {
    if (await readFileIfThere(files, join(folder, name)) === undefined) return false;
  }
  return true;
}
