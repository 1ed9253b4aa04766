/** Of those of this program: it is set where file systems may be mounted, or where nobody may. */
const IS_SET_UP = "CHAT_FAULTS_MOUNTS";

/** As root, and as anyone where the system lets them be root of a namespace of their own. */
const NAMESPACES: readonly (readonly string[])[] = [
  ["--mount"],
  ["--user", "--map-root-user", "--mount"],
];

/**
 * Runs this program again where it may mount file systems that nobody else sees and that go when it
 * ends, however it does. Resolves with its exit code; undefined if this is there already, or if the
 * system does not permit it: then this run is the one.
 */
export async function runWithOwnMounts(module: string): Promise<number | undefined> {
  if (Deno.env.has(IS_SET_UP)) return undefined;
  const namespace = await findNamespace();
  if (namespace === undefined) return undefined;
  const deno = ["run", "--quiet", "--no-prompt", "-P=scripts", module, ...Deno.args];
  const { code } = await new Deno.Command("unshare", {
    args: [...namespace, Deno.execPath(), ...deno],
    env: { [IS_SET_UP]: "1" },
  }).spawn().status;
  return code;
}

async function findNamespace(): Promise<readonly string[] | undefined> {
  const probe = ["mount", "-t", "tmpfs", "chat-probe", "/mnt"];
  for (const namespace of NAMESPACES) {
    if (await succeeds("unshare", [...namespace, ...probe])) return namespace;
  }
  return undefined;
}

async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  try {
    const options = { args: [...args], stdout: "null" as const, stderr: "null" as const };
    return (await new Deno.Command(command, options).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
