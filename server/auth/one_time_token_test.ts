import { assertEquals } from "@std/assert";
import { shownToken, typedToken } from "./one_time_token.ts";

const TOKEN = "7k3mx9qd0afh1w2vtnc8";

Deno.test("shownToken() groups a token, and typedToken() takes it back however it is typed", () => {
  assertEquals(shownToken(TOKEN), "7k3m-x9qd-0afh-1w2v-tnc8");
  for (
    const typed of [
      TOKEN,
      "7k3m-x9qd-0afh-1w2v-tnc8",
      "7K3M X9QD 0AFH 1W2V TNC8",
      " 7k3m\u2013x9qd\u2014oafh-Iw2v-tnc8\n",
      "7k3m-x9qd-Oafh-lw2v-tnc8",
    ]
  ) {
    assertEquals(typedToken(typed), TOKEN, typed);
  }
});
