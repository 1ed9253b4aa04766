import { runOperatorCommand } from "../operator/command.ts";
import { operatorCommands } from "../operator/table.ts";

export interface OperatorRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an operator's command in this process: `chat NAME ARGS`. */
export async function runOperator(name: string, ...args: readonly string[]): Promise<OperatorRun> {
  const row = operatorCommands.find((one) => one.name === name);
  if (row === undefined) throw new Error(`Cannot run ${name}: there is no such command`);
  let [stdout, stderr] = ["", ""];
  const code = await runOperatorCommand(row, args, {
    output: {
      write: (text) => Promise.resolve(void (stdout += text)),
      note: (line) => stderr += `${line}\n`,
    },
    version: "0.0.0-test",
    tellEndBy() {},
  });
  return { code, stdout, stderr };
}
