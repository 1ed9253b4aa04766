import type { Attack } from "../attack.ts";
import type { Outcome } from "../orders.ts";
import { connections, rateFigure } from "./figures.ts";

/** What is tried with passwords. */
export const BY_PASSWORDS: readonly Attack[] = [
  {
    name: "sign-ins",
    does: "signs in with a password on 1,000 connections at once, over and over",
    weapon: "signIns",
    nodes: 1,
    processes: 2,
    amounts: connections(500, 100, 8),
    peopleSignInBy: "password",
    figure: rateFigure("tries"),
    answers: ["user_existing", "login_success", "done", "not_signed_in"],
  },
  {
    name: "sign-ups",
    does: "signs up on 1,000 connections at once, over and over",
    weapon: "signUps",
    nodes: 1,
    processes: 2,
    amounts: connections(500, 100, 8),
    peopleSignInBy: "password",
    figure: rateFigure("tries"),
    answers: ["user_not_existing", "login_success", "done", "not_signed_in"],
  },
  {
    name: "guesses",
    does: "guesses one password 10,000 times, over three nodes and from 500 addresses",
    weapon: "guesses",
    nodes: 3,
    processes: 2,
    hasAnEnd: true,
    amounts: {
      full: { connections: 150, guesses: 5000 },
      quick: { connections: 50, guesses: 500 },
      touch: { connections: 6, guesses: 300 },
    },
    figure: rateFigure("guesses"),
    answers: ["user_existing", "login_failed"],
    faults: tooManyChecked,
  },
];

/** What an account may be guessed at: so many at once, and one more each so often, over all nodes. */
const GUESSES_AT_ONCE = 10;
const GUESS_EVERY_S = 10;
/** How many may be checked before nodes have told each other; if they never did, it would be 20. */
const GUESSES_SPARE = 10;

function tooManyChecked({ answers: { login_failed: checked = 0 } }: Outcome, seconds: number) {
  const max = Math.ceil(GUESSES_AT_ONCE + seconds / GUESS_EVERY_S) + GUESSES_SPARE;
  return checked > max ? [`${checked} guesses were checked, of ${max}`] : [];
}
