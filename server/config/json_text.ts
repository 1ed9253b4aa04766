import { ConfigError } from "../config_error.ts";

const NESTING_MAX = 100;
const STRING = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/uy;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** What the text of the file `source` says. Throws {@linkcode ConfigError} with line and column. */
export function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    const lines = text.slice(0, jsonFaultAt(text)).split("\n");
    const column = (lines.at(-1)?.length ?? 0) + 1;
    const said = cause.message.replace(/ in JSON at .*| *\(line .*|, ".*is not valid JSON$/s, "");
    throw new ConfigError(source, [
      `line ${lines.length}, column ${column}: not JSON: ${said}`,
    ]);
  }
}

/** Where `text` stops being JSON: JSON.parse() tells only in some of its errors. */
function jsonFaultAt(text: string): number {
  let at = 0;
  const take = (token: RegExp): boolean => {
    token.lastIndex = at;
    if (!token.test(text)) return false;
    at = token.lastIndex;
    return true;
  };
  const takeList = (item: () => boolean, end: RegExp): boolean => {
    if (take(end)) return true;
    while (item()) if (!take(/,\s*/y)) return take(end);
    return false;
  };
  const takeMember = () => take(STRING) && take(/\s*/y) && take(/:/y) && takeValue();
  let nesting = 0;
  const takeValue = (): boolean => {
    take(/\s*/y);
    if (take(SCALAR) || take(STRING)) return take(/\s*/y);
    // What is nested deeper than a configuration ever is, is at fault there.
    if (nesting === NESTING_MAX) return false;
    nesting++;
    const taken = take(/\{\s*/y)
      ? takeList(takeMember, /\}\s*/y)
      : take(/\[\s*/y) && takeList(takeValue, /\]\s*/y);
    nesting--;
    return taken;
  };
  takeValue();
  return at;
}
