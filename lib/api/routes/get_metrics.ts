/** `GET /metrics`: numbers for Prometheus. */
import { EXPOSITION_TYPE } from "../exposition.ts";
import { route } from "../route.ts";

export const getMetrics = route({
  method: "get",
  path: "/metrics",
  summary: "Returns numbers in the text format of Prometheus",
  answers: { 200: { description: "The numbers", body: { "text/plain": "bytes" } } },
  handle: (_request, { metrics }) =>
    new Response(metrics.text(), { headers: { "Content-Type": EXPOSITION_TYPE } }),
});
