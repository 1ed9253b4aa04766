import type { Attack } from "../attack.ts";
import type { Counts } from "../orders.ts";
import { connections, number } from "./figures.ts";

/** What is tried with passwords. */
export const BY_PASSWORDS: readonly Attack[] = [
  {
    name: "sign-ins",
    does: "signs in with a password on 1,000 connections at once, over and over",
    weapon: "signIns",
    nodes: 1,
    processes: 2,
    amounts: connections(500, 100, 50),
    peopleSignInBy: "password",
    figure: signInFigure,
  },
  {
    name: "sign-ups",
    does: "signs up on 1,000 connections at once, over and over",
    weapon: "signUps",
    nodes: 1,
    processes: 2,
    amounts: connections(500, 100, 50),
    peopleSignInBy: "password",
    figure: signInFigure,
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
      touch: { connections: 30, guesses: 300 },
    },
    figure: ({ guesses = 0, login_failed: checked = 0, too_many_attempts: refused = 0 }) =>
      `${number(guesses)} guesses, ${number(checked)} checked, ${number(refused)} refused`,
    faults: guessFaults,
  },
];

function signInFigure(counts: Counts): string {
  const { tries = 0, login_success: taken = 0, busy = 0, too_many_attempts: slowed = 0 } = counts;
  return `${number(tries)} tries, ${number(taken)} signed in, ${number(busy + slowed)} refused`;
}

/** What an account may be guessed at: so many at once, and one more each so often, over all nodes. */
const GUESSES_AT_ONCE = 10;
const GUESS_EVERY_S = 10;
/** How many may be checked before nodes have told each other. */
const GUESSES_SPARE = 5;

function guessFaults({ login_failed: checked = 0, login_success = 0 }: Counts, seconds: number) {
  const max = Math.ceil(GUESSES_AT_ONCE + seconds / GUESS_EVERY_S) + GUESSES_SPARE;
  return [
    ...login_success > 0 ? ["a guess was taken for right"] : [],
    ...checked > max ? [`${checked} guesses were checked, of ${max}`] : [],
  ];
}
