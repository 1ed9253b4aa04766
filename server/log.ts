/** What kind of thing a line of a node's log tells, for programs. */
export type LogEvent = "note";

/** What a line tells programs besides its sentence. */
export interface LogFacts {
  readonly event: LogEvent;
}

/** Takes a line for the operator: a sentence, and what programs may want to know of it. */
export type Log = (sentence: string, facts?: LogFacts) => void;
