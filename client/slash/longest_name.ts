import { type ChatClient, NAME_CHARACTERS_MAX } from "../connection.ts";

/**
 * Names may hold spaces: the longest beginning of the text that is somebody's name is meant. Nobody's:
 * its first word.
 */
export async function longestName(client: ChatClient, text: string): Promise<string> {
  const [firstLine = ""] = text.split("\n");
  const words = firstLine.split(" ");
  const beginnings = words
    .map((_, last) => words.slice(0, last + 1).join(" "))
    .filter((name) => [...name].length <= NAME_CHARACTERS_MAX && !name.includes("*"));
  const found = await Promise.all(
    beginnings.map((pattern) => client.users({ pattern, limit: 1 })),
  );
  const longest = found.findLastIndex((users) => users.length > 0);
  return beginnings[longest] ?? words[0] ?? "";
}
