/**
 * Help texts.
 *
 * @module
 */

const MAIN =
  `feedsync keeps the servers of a feed aggregator in step through an S3-compatible bucket

Usage: feedsync <command> [flags]

Commands:
  watch         apply what other servers publish, publish changed feed files, clean up
  publish       publish an update of a feed
  tail          print updates as they arrive
  cleanup       delete old updates from the bucket
  dead-letters  list, show, retry or drop updates that a plugin could not apply
  keygen        make and change the keys that objects are encrypted with
  cost          estimate what the requests of a fleet cost in a month
  demo          see three servers on this machine keep in step

feedsync help <command> explains one. feedsync --version prints the version.`;

const COMMON = `Flags of all commands:
  --config FILE   configuration file; else feedsync.jsonc, feedsync.json, or the key "feedsync"
                  of deno.json in the working directory
  --server NAME   name of this server (default: the host name)
  --store URL     s3://bucket/prefix or file:path (default: file:.feedsync/store)
  --state FILE    state file (default: .feedsync/<server>.db)
  --json          results and errors as JSON, a line each
  -v, --verbose   log details
  -q, --quiet     log warnings and errors only

Each scalar key of the configuration has an environment variable: FEEDSYNC_STORE for "store",
FEEDSYNC_S3_ENDPOINT for "s3.endpoint". Flags go before variables, variables before the file.

Exit codes: 0 done, 1 failed for another reason, 64 wrong usage, 65 bad input, 69 store or backend
unreachable, 75 queued but not yet uploaded, 77 access denied, 78 bad configuration, 130 or 143
stopped by a signal`;

const COMMANDS: Readonly<Record<string, string>> = {
  watch: `Applies what other servers publish through the configured plugins, until it is stopped

Usage: feedsync watch [--once] [--files DIR] [--remove-missing] [--publish-received] [flags]

  --once              poll once, apply everything that is new, publish changed files, and exit
  --files DIR         publish the .feed files in DIR when they change
  --remove-missing    publish that feeds whose files are gone are removed, however many at once
  --publish-received  publish files that were received from another bucket

With --json every update that is applied is printed, in place of what the log plugin prints.`,

  publish: `Publishes an update of a feed, and returns when it is in the bucket

Usage: feedsync publish URL [FILE|-] [--metadata K=V]... [--if-changed] [flags]
       feedsync publish URL --remove [--metadata K=V]... [flags]

  URL             URL of the feed, http or https; printed as it is stored
  FILE            the new content; - or nothing: standard input
  --metadata K=V  say something about the update; may be given several times
  --if-changed    do nothing when this is the newest known content already
  --json-content  the content is JSON and published as a value
  --remove        publish that the feed is gone

After exit code 75 the update is queued, after 77, 78, 130 and 143 it may be: the message says so
then. What is queued a watch or publish with the same state uploads; do not publish it again.

Example: curl -fsS https://example.com/feed.xml | feedsync publish https://example.com/feed.xml`,

  tail: `Prints the updates of all servers as NDJSON; what others read is not affected

Usage: feedsync tail [--from earliest|now] [--once] [flags]

  --from WHERE    earliest: begin with what the bucket still holds (default); now: only new ones
  --once          print what is there and exit`,

  cleanup: `Deletes old updates from the bucket; safe at any time, on any server

Usage: feedsync cleanup [--max-age 24h] [--dry-run] [flags]

  --max-age AGE   delete updates older than this, at least 10m (default: the configured retention)
  --dry-run       only list what would be deleted`,

  "dead-letters": `Lists updates that a plugin could not apply, tries them again, or forgets them

Usage: feedsync dead-letters list [ID...] [flags]
       feedsync dead-letters show [ID...] [flags]
       feedsync dead-letters retry [ID...|--all] [flags]
       feedsync dead-letters drop ID...|--all [flags]

  list            print ID, time, plugin, stream and seq, URL and error of each
  show            print the update, too, as JSON on a line of its own
  retry           hand each to its plugin once more: what is applied is dropped, the rest is kept
                  with the new error, and the exit code is 1
  drop            forget them
  ID              number in the list; without any: all
  --all           all, too; drop insists on it

Works beside a running watch with the same state, and without the store. A watch tries those again
by itself that a plugin may have failed to apply for want of its backend. With --json each line is
{"id","plugin","stream","seq","url","error","time"}, with "retryAt" in it when it is tried again by
itself, with "update" from show, and with "status" ("applied", "failed" or "dropped") from retry and
drop.`,

  keygen: `Makes the file with the keys that objects are encrypted with, or changes it

Usage: feedsync keygen FILE [flags]
       feedsync keygen --add FILE [flags]
       feedsync keygen --first KID FILE [flags]
       feedsync keygen --drop KID FILE [flags]

  FILE            a JWK Set; all keys in it decrypt, the first encrypts. Made with a new key, and
                  never overwritten: only its owner can read it
  --add           add a new key as the last
  --first KID     make the key with this id the first
  --drop KID      drop a key: what is encrypted with it cannot be read any more

To change keys while servers run: --add, and copy the file to all servers; then --first with the
new key, and copy it again; then, after twice the retention, --drop the old one, and copy it. Each
server notices by itself. Prints ids, never keys; with --json {"file","keys"}, all ids in order.`,

  cost: `Estimates how many requests a fleet sends in a month, and what they cost

Usage: feedsync cost --servers N --updates-per-hour U [--poll 10s] [--provider aws|r2|b2|linode] [flags]

  --servers N           servers that publish and watch
  --updates-per-hour U  updates of all of them together
  --poll TIME           from poll to poll (default: as configured)
  --provider NAME       whose prices (default: aws)

Prints the configured way of working first, and others to compare it with. With --json each line is
{"way","put","get","list","dollars","provider"}.`,

  demo: `Starts three servers on this machine and shows how they keep in step

Usage: feedsync demo [flags]`,
};

/** The help text of a command, or of feedsync; `undefined` when there is no such command. */
export function helpFor(command: string | undefined): string | undefined {
  if (command === undefined) return MAIN;
  if (!Object.hasOwn(COMMANDS, command)) return undefined;
  return `${COMMANDS[command]}\n\n${COMMON}`;
}
