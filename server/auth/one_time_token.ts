/** Of small letters and digits, 5 bits each: nobody guesses 100 bits. */
export const TOKEN_LENGTH = 20;
const GROUP = /.{4}(?=.)/g;

/** What people may type otherwise than it was shown: dashes, spaces, and letters that look like digits. */
const PASSED_OVER = /[\p{Pd}\s]/gu;
const LOOK_ALIKES: Readonly<Record<string, string>> = { i: "1", l: "1", o: "0" };

/** A token as a person is shown it: in groups of 4. */
export function shownToken(token: string): string {
  return token.replaceAll(GROUP, "$&-");
}

/** What was typed, as the token would be that was meant. */
export function typedToken(typed: string): string {
  const plain = typed.replaceAll(PASSED_OVER, "").toLowerCase();
  return plain.replaceAll(/[ilo]/g, (letter) => LOOK_ALIKES[letter] ?? letter);
}
