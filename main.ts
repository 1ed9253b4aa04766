console.log("chat: not built yet", Deno.args);
