/** Longest name, in characters. An alias may be longer: it is given, never claimed. */
export const NAME_CHARACTERS_MAX = 64;
/** No name that anybody can have is longer, in UTF-16 code units. */
const NAME_UNITS_MAX = 2 * NAME_CHARACTERS_MAX + 16;

/**
 * What makes two names look alike or none look like something: controls, invisible and formatting
 * characters, white space other than single spaces within, unassigned and private characters.
 */
const CONFUSING =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}|^ | $| {2}/u;

/** A name as it is compared: in Unicode's NFC. Undefined if nobody can have that name. */
export function usualName(text: string): string | undefined {
  if (text.length === 0 || text.length > NAME_UNITS_MAX) return undefined;
  const name = text.normalize("NFC");
  return CONFUSING.test(name) ? undefined : name;
}

/** How an alias ends: account_table.ts. Nobody may claim what could be given to somebody else. */
const ALIAS_END = /~[0-9a-z]{6}$/;

/** Alphabets with letters that look the same: of Latin, Greek and Cyrillic, a name has those of one. */
const LOOKALIKES = [/\p{Script=Latin}/u, /\p{Script=Greek}/u, /\p{Script=Cyrillic}/u];

/** Whether somebody may have claimed this name, which {@linkcode usualName} made. */
export function isClaimed(name: string): boolean {
  return [...name].length <= NAME_CHARACTERS_MAX && !ALIAS_END.test(name);
}

/**
 * Whether a new account may have this name. What is written with one alphabet only, and looks like a name
 * in another, is not found out; letters in another form, as in mathematics or of double width, are.
 */
export function isClaimable(name: string): boolean {
  return isClaimed(name) && name.normalize("NFKC") === name &&
    LOOKALIKES.filter((alphabet) => alphabet.test(name)).length <= 1;
}

/** What a name must be, for refusals. */
export const NAME_RULE =
  `a name has 1 to ${NAME_CHARACTERS_MAX} characters, no control or invisible ones, no spaces but single ones within, no end like ~a1b2c3, no letters in another form such as double width, and of Latin, Greek and Cyrillic letters only one kind`;
