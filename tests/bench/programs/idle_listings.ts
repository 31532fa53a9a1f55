/** Lists a bucket in which nothing happens. */
import { openStore } from "../../../lib/stores/open.ts";
import { drain } from "../measure.ts";
import { idle } from "./idle.ts";

const { url, s3 } = JSON.parse(Deno.args[0]);
await using store = await openStore(url, s3);
await idle(() => drain(store.list("tail/")));
