import assert from "node:assert/strict";
import { defaultServerName, SERVER_NAME } from "../../lib/config/server_name.ts";
import { ConfigError } from "../../lib/errors.ts";

Deno.test("the default name of a server is its host name, made valid", () => {
  const cases = [
    ["web-1", "web-1"],
    ["Web_1.Example.COM", "web-1.example.com"],
    ["--odd name--", "odd-name--"],
    ["x".repeat(200), "x".repeat(63)],
  ];
  for (const [host, name] of cases) {
    assert.equal(defaultServerName(() => host), name);
    assert.match(name, SERVER_NAME);
  }
});

Deno.test("a host name of which nothing can be used asks for 'server'", () => {
  for (const host of ["", "日本", "---"]) {
    assert.throws(() => defaultServerName(() => host), {
      name: "ConfigError",
      message: /set 'server'/,
    });
  }
});

Deno.test("a host name that cannot be read asks for 'server', and keeps the reason", () => {
  const denied = new Deno.errors.NotCapable("Requires sys access");
  assert.throws(
    () =>
      defaultServerName(() => {
        throw denied;
      }),
    (error) =>
      error instanceof ConfigError && error.cause === denied && /'server'/.test(error.message),
  );
});
