import assert from "node:assert/strict";
import {
  compareSuffixes,
  domainOf,
  hostNameOf,
  SUFFIXES,
} from "../../../lib/fleet/turns/domain.ts";
import { ROOT } from "../../library/package_imports.ts";

Deno.test("the domain of a feed is what can be registered, else its host", () => {
  const domains = {
    "https://feeds.example.co.uk/a": "example.co.uk",
    "https://www.example.com:8443/a": "example.com",
    "https://me.github.io/a": "github.io",
    "http://localhost:8080/a": "localhost",
    "http://127.0.0.1/a": "127.0.0.1",
    "http://[::1]:80/a": "[::1]",
    "https://co.uk/a": "co.uk",
    "https://xn--bcher-kva.example/a": "xn--bcher-kva.example",
  };
  for (const [url, domain] of Object.entries(domains)) {
    assert.equal(domainOf(new URL(url)), domain);
  }
  assert.equal(hostNameOf(new URL("https://www.example.com:8443/a")), "//www.example.com:8443");
});

Deno.test("the version of the list of suffixes is that of the package", async () => {
  const lock = await Deno.readTextFile(`${ROOT}/deno.lock`);
  assert.ok(lock.includes(`"tldts@${SUFFIXES}"`));
  const { imports } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  assert.equal(imports.tldts, `npm:tldts@${SUFFIXES}`);
});

Deno.test("versions are compared by their numbers, and what is none is the newest", () => {
  assert.ok(compareSuffixes("7.5.4", "7.10.0") < 0);
  assert.ok(compareSuffixes("7.6", "7.6.0") === 0);
  assert.ok(compareSuffixes("8.0.0", "7.99.99") > 0);
  for (const text of ["", "latest", "1.2.3-beta", "1".repeat(60), "-1.0"]) {
    assert.ok(compareSuffixes(text, "999.0.0") > 0, text);
  }
});
