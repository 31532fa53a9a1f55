import assert from "node:assert/strict";
import { Counter, exposition, Histogram } from "../../lib/api/exposition.ts";

Deno.test("numbers are written as Prometheus reads them", () => {
  const counter = new Counter({ name: "a_total", help: "How often" });
  counter.add({ name: 'a"\\\nb' });
  counter.add({ name: 'a"\\\nb' }, 2);
  counter.add({});
  const histogram = new Histogram({ name: "b_seconds", help: "How long", bounds: [0.5, 1] });
  for (const value of [0.25, 0.5, 0.75, 8]) histogram.observe({ route: "/" }, value);
  assert.equal(
    exposition([counter, histogram]),
    `# HELP a_total How often
# TYPE a_total counter
a_total{name="a\\"\\\\\\nb"} 3
a_total 1
# HELP b_seconds How long
# TYPE b_seconds histogram
b_seconds_bucket{route="/",le="0.5"} 2
b_seconds_bucket{route="/",le="1"} 3
b_seconds_bucket{route="/",le="+Inf"} 4
b_seconds_sum{route="/"} 9.5
b_seconds_count{route="/"} 4
`,
  );
});
