import { type Edit, edit, type Mutant } from "../mutants.ts";
import type { FleetFocus } from "./mix.ts";

const VIEW = "fleet/view.ts";
const MEMBER = "fleet/member.ts";
const KEEPER = "fleet/keeper.ts";
const ASKS = "fleet/turns/asks.ts";
const OWNERS = "fleet/turns/owners.ts";
const HANDING_OUT = "fleet/turns/handing_out.ts";
const HANDOVER = "fleet/turns/handover.ts";
const SCHEDULE = "fleet/turns/schedule.ts";
const TURN_ENGINE = "fleet/turns/turn_engine.ts";
const CONSEQUENCES = "fleet/turns/consequences.ts";

/**
 * One for each rule that turns rest on. Where servers meet a rule too seldom, or break no promise
 * without it, a test breaks instead:
 *
 * - ages are told by the own presence, and nobody returns who is gone: `fleet/view_test.ts`;
 * - times beyond now do not count: `fleet/turns/schedule_test.ts`, `fleet/turns/wrong_clock_test.ts`;
 * - a list that cannot be read has no feeds: `hostile/turns_test.ts`;
 * - the former owner is waited for, and writes its checks at once; whoever was away takes nothing for
 *   granted: `fleet/turns/takeover_test.ts`;
 * - validators of an answer belong to its content: `fleet/turns/checked_test.ts`;
 * - caps of a day: `fleet/turns/consequences_test.ts`;
 * - who asks rarely skips no turn: `fleet/turns/due_test.ts`, `fleet/turns/cron_test.ts`;
 * - large domains are shared, and the oldest list of suffixes counts:
 *   `fleet/turns/ownership_test.ts`;
 * - checks are written every five minutes: `fleet/turns/handover_test.ts`;
 * - checks are written at a stop, by `watch` and without it, and read after a state was lost:
 *   `fleet/turns/takeover_test.ts`;
 * - a process with another stream is the same one: `fleet/view_test.ts`, and a new one has a name of
 *   its own: `fleet/presence_test.ts`.
 */
export const FLEET_MUTANTS: readonly Mutant[] = [
  mutant(
    "whoever looks dead after an outage is gone",
    ["outage", "ticking"],
    edit(
      VIEW,
      "if (isReliable || name.server === own?.server) return 0;",
      "return 0;",
    ),
  ),
  mutant(
    "one listing is enough to be gone",
    ["ticking"],
    edit(VIEW, "const LISTINGS_AGREE = 2;", "const LISTINGS_AGREE = 1;"),
  ),
  mutant(
    "of servers with one name each takes part",
    ["twin"],
    edit(
      VIEW,
      "if (!known || comesBefore(server, known)) members",
      "if (!known || server.stream === own?.stream) members",
    ),
  ),
  mutant(
    "nobody is ever gone",
    ["crash"],
    edit(
      VIEW,
      "Math.min(Math.max(LIVES * interval * 1000, patienceMs), MAX_AGE_MS)",
      "Math.max(LIVES * interval * 1000, patienceMs, MAX_AGE_MS)",
    ),
  ),
  mutant(
    "due answers before it has listed the others",
    ["join", "ticking"],
    edit(
      MEMBER,
      "      await this.#keepUp(options);",
      `      if (this.view().lookedAt > 0) await this.#keepUp(options);
      else this.#keepUp(options).catch(() => {});`,
    ),
  ),
  mutant(
    "turns never end",
    ["silence"],
    edit(
      MEMBER,
      "return (state.fleet.turns()?.until ?? 0) > log.now();",
      "return (state.fleet.turns()?.until ?? 0) > 0 || log.now() < 0;",
    ),
  ),
  mutant(
    "the local clock is believed until the store answers",
    ["setClock", "crash", "cron"],
    edit(TURN_ENGINE, "    await this.#learnTime(signal);\n", ""),
  ),
  mutant(
    "a presence stays when its name has changed",
    [],
    edit(MEMBER, "if (left.length > 0) await this.#deleteLeft(left, options);\n", ""),
  ),
  mutant(
    "a presence stays at a stop",
    [],
    edit(KEEPER, "    await this.#lastly((signal) => member.leave({ signal }));\n", ""),
  ),
  mutant(
    "the last presence is given up while it is written",
    ["stop", "reweigh"],
    edit(KEEPER, "signal: writing.signal });", "signal });"),
  ),
  mutant(
    "what nobody asks for stays in the list",
    ["resubscribe"],
    edit(
      ASKS,
      "(feed.lastAskedAt >= limit && feed.lastAskedAt <= latest)",
      "(limit < Infinity && feed.lastAskedAt <= latest)",
    ),
  ),
  mutant(
    "whoever takes over reads no checks",
    ["join", "stop", "ticking"],
    edit(OWNERS, "      await handover.readFrom(server, { feeds, signal });\n", ""),
  ),
  mutant(
    "no checks are written at a stop",
    ["stop", "leave", "ticking"],
    edit(
      "reading/bucket_watcher.ts",
      "{ force: isLast, signal }",
      "{ force: isLast && false, signal }",
    ),
    edit(TURN_ENGINE, "force: isLong || state.isInMemory", "force: isLong && false"),
  ),
  mutant(
    "validators are sent whatever is known",
    [],
    edit(HANDING_OUT, "  if (!isNewest) return {};\n", ""),
  ),
  mutant(
    "feeds of a domain are handed out together",
    ["large"],
    edit(HANDING_OUT, "return domainUntil > 0 ?", "return domainUntil > Infinity ?"),
  ),
  mutant(
    "a lease never ends",
    ["hang"],
    edit(
      SCHEDULE,
      "return leasedUntil > now && leasedUntil <= now + LEASE_MS",
      "return leasedUntil > 0 && leasedUntil <= now + LEASE_MS",
    ),
  ),
  mutant(
    "a lease ends at once",
    [],
    edit(
      SCHEDULE,
      "export const LEASE_MS: number = 5 * 60 * 1000;",
      "export const LEASE_MS: number = 10;",
    ),
  ),
  mutant(
    "Retry-After is ignored",
    ["busy"],
    edit(CONSEQUENCES, "retryAfterMs(status, headers, context.now),", "undefined,"),
  ),
  mutant(
    "Retry-After holds for the feed only",
    ["busy"],
    edit(TURN_ENGINE, "      state.turns.hold({ host: feed[scope], until: heldUntil });\n", ""),
  ),
  mutant(
    "Retry-After is not handed over",
    ["busy", "stop", "leave", "ticking"],
    edit(
      HANDOVER,
      "notBefore: check.notBefore > limit ? 0 :",
      "notBefore: check.notBefore > 0 ? 0 :",
    ),
  ),
  mutant(
    "max-age is ignored",
    [],
    edit(
      CONSEQUENCES,
      "isSuccess ? freshForMs(headers) :",
      "isSuccess ? undefined :",
    ),
  ),
];

/** A mutant that shows after what is named in `focus`. */
function mutant(name: string, focus: readonly FleetFocus[], ...edits: Edit[]): Mutant {
  return { name, world: "fleet", edits, focus };
}
