/** To be run before the program: a fault that nothing catches, whose text is hostile, at SIGUSR2. */

Deno.addSignalListener("SIGUSR2", () => {
  throw new Error("boom \x1b[2J\nchat: forged");
});
