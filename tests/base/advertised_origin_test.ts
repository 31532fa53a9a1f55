import assert from "node:assert/strict";
import { advertisedOrigin } from "../../lib/base/advertised_origin.ts";

Deno.test("an http(s) origin may be advertised, in its normal form", () => {
  const origins = {
    "http://web-1:7070": "http://web-1:7070",
    "https://web-1.example.com": "https://web-1.example.com",
    "HTTPS://Web-1.example.com:443/": "https://web-1.example.com",
    "http://127.0.0.1:7070": "http://127.0.0.1:7070",
    "http://10.0.0.1:7070": "http://10.0.0.1:7070",
    "http://[::1]:7070": "http://[::1]:7070",
    "http://[fd00::1]:7070": "http://[fd00::1]:7070",
    "http://[2001:db8::1]": "http://[2001:db8::1]",
    "http://[::ffff:10.0.0.1]": "http://[::ffff:a00:1]",
    "http://[64:ff9b::10.0.0.1]": "http://[64:ff9b::a00:1]",
    "http://223.255.255.255": "http://223.255.255.255",
  };
  for (const [text, origin] of Object.entries(origins)) {
    assert.equal(advertisedOrigin(text), origin);
  }
});

Deno.test("what is more than an origin, or something else, may not be advertised", () => {
  const texts = [
    "",
    "web-1:7070",
    "//web-1",
    "ftp://web-1",
    "file:///etc",
    "javascript:alert(1)",
    "blob:http://web-1/",
    "http://",
    "http://user@web-1",
    "http://user:password@web-1",
    "http://web-1/path",
    "http://web-1/?query",
    "http://web-1?",
    "http://web-1#",
    "http://web-1#fragment",
    "http://web\t-1",
    " http://web-1",
    "http://web-1\n",
    "http://web-1:0",
    "http://web-1:99999",
    `http://${"a".repeat(300)}`,
  ];
  for (const text of texts) assert.equal(advertisedOrigin(text), undefined, text);
});

Deno.test("no link-local or unspecified address may be advertised, however it is spelt", () => {
  const hosts = [
    "169.254.169.254",
    "169.254.0.0",
    "169.254.255.255",
    "169.254.1.1.",
    "0xa9fe0101",
    "2852039166",
    "0251.0376.1",
    "１６９.254.1.1",
    "169%2E254.1.1",
    "[fe80::1]",
    "[FEBF::1]",
    "[fe80::1%25eth0]",
    "[::ffff:169.254.169.254]",
    "[0:0:0:0:0:ffff:a9fe:1]",
    "[::169.254.169.254]",
    "[::ffff:0:169.254.169.254]",
    "[64:ff9b::169.254.169.254]",
    "[2002:a9fe:a9fe::1]",
    "0.0.0.0",
    "0",
    "0x0",
    "0.1.2.3",
    "[::]",
    "[::0.0.0.0]",
    "[::ffff:0.0.0.0]",
    "224.0.0.1",
    "255.255.255.255",
    "[ff02::1]",
  ];
  for (const host of hosts) assert.equal(advertisedOrigin(`http://${host}:7070`), undefined, host);
});
