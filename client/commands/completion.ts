import { completionScript, type ShellName, SHELLS } from "../../command_line/completion/script.ts";
import type { Page } from "../../command_line/page.ts";
import type { Call, Command } from "./command.ts";
import { EXIT } from "./exit_code.ts";

/** `chat completion`: `pages` gives those of all commands, also of those that are not the client's. */
export function completion(pages: () => Promise<readonly Page[]>): Command {
  return {
    name: "completion",
    operands: { usage: SHELLS.join("|"), min: 1, max: 1, words: SHELLS },
    summary: "Prints a script by which a shell completes commands, options and values.",
    description: [
      "The script is to be read by the shell when it starts, or kept where the shell looks for it. " +
      "It is made of the same tables as the help, and asks no server.",
    ],
    examples: [
      {
        command: "source <(chat completion bash)",
        explains: "For this bash; for each one, put the line into ~/.bashrc.",
      },
      {
        command: "chat completion zsh > ~/.zfunc/_chat",
        explains: "For zsh, with fpath+=(~/.zfunc) before compinit in ~/.zshrc.",
      },
      {
        command: "chat completion fish > ~/.config/fish/completions/chat.fish",
        explains: "For fish, from its next start on.",
      },
    ],
    seeAlso: ["chat help"],
    options: ["help"],
    run: (call) => run(call, pages),
  };
}

async function run({ options, shell }: Call, pages: () => Promise<readonly Page[]>) {
  const name = SHELLS.find((one): one is ShellName => one === options.operands[0]) ?? "bash";
  await shell.write(completionScript(name, await pages()));
  return EXIT.done;
}
