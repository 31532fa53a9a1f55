/**
 * What chaos is brought upon: three publishers and two readers, whose bucket is behind a proxy.
 *
 * @module
 */
import type { Config } from "../../lib/config/config.ts";
import { addKey, makeKeyFile, putFirst } from "../../lib/log/encryption/edit_keys.ts";
import { messageOf } from "../../lib/errors.ts";
import { Chance } from "../sim/chance.ts";
import { freeAddress } from "../servers/ports.ts";
import { DisturbingProxy } from "./proxy.ts";
import type { Reader } from "./servers.ts";
import type { Site } from "./site.ts";
import { SmallDisk } from "./small_disk.ts";
import { Weather } from "./weather.ts";
import { hourAhead } from "./wrong_clock.ts";

/** Bursts, now and then of updates that are segments by themselves. */
const HABITS = {
  batch: [1, 4],
  interval: [0, 200],
  sizes: [...Array(40).fill(300), ...Array(8).fill(3000), 20_000, 300_000],
} as const;

/** Everything that a round needs. */
export interface Setting {
  readonly site: Site;
  /** What happens to requests. */
  readonly weather: Weather;
  /** Holds the state of the first two publishers; undefined where there can be none. */
  readonly disk: SmallDisk | undefined;
  /** The file with the keys that everything is encrypted with. */
  readonly keys: string;
  /** URL of the proxy. */
  readonly endpoint: string;
  /** Where the first readers listen for peers, and the proxies through which those reach them. */
  readonly wakeUps: readonly { readonly address: string; readonly peer: string }[];
}

/** The reader that is away in each round until much of the log is gone. */
export const AWAY = "reader-away";

/** What peers are known by. */
const SECRET = `whsec_${btoa("a secret of all servers in chaos")}`;

/** Starts proxy and servers; tells `skip` what is left out, and why. */
export async function prepareChaos(
  site: Site,
  chance: Chance,
  skip: (reason: string) => void,
): Promise<Setting> {
  const weather = new Weather(new Chance(chance.whole(1, 2 ** 31)));
  const log = (line: string) => site.note("proxy", line);
  const { bucket: { s3 }, ends } = site;
  const proxy = ends.use(await DisturbingProxy.start(s3.endpoint, weather, log));
  const disk = await mountDisk(site).catch((error) => skip(`the full disk: ${messageOf(error)}`));
  const clock = await hourAhead().catch((error) => skip(`the wrong clock: ${messageOf(error)}`));
  const wakeUps: Setting["wakeUps"][number][] = [];
  for (const address of [freeAddress(), freeAddress()]) {
    const way = ends.use(await DisturbingProxy.start(`http://${address}`, weather, log));
    wakeUps.push({ address, peer: way.endpoint });
  }
  const keys = `${site.directory}/keys.json`;
  await makeKeyFile(keys);
  const { endpoint } = proxy;
  const setting = { site, weather, disk: disk ?? undefined, keys, endpoint, wakeUps };
  // Two processes with one state, as when a cron job publishes beside `feedsync watch`.
  addPublisher(setting, "publisher-1", { server: "web-1", chance, disk: setting.disk });
  addPublisher(setting, "publisher-2", { server: "web-1", chance, disk: setting.disk });
  addPublisher(setting, "publisher-3", { server: "web-2", chance, env: clock ?? undefined });
  addReader(setting, "reader-1");
  addReader(setting, "reader-2");
  addReader(setting, AWAY, { isLate: true });
  return setting;
}

/** Starts a reader with a new state; the first ones are told by peers, too. */
export function addReader(
  { site, keys, endpoint, wakeUps }: Setting,
  name: string,
  { isLate = false }: { readonly isLate?: boolean } = {},
): Reader {
  const wakeUp = wakeUps[site.readers.length];
  return site.addReader(name, {
    isLate,
    store: site.bucket.url,
    s3: { ...site.bucket.s3, endpoint },
    poll: "200ms",
    env: {
      FEEDSYNC_ENCRYPTION_KEYS: keys,
      ...wakeUp && {
        FEEDSYNC_WAKE_LISTEN: wakeUp.address,
        FEEDSYNC_WAKE_SECRET: SECRET,
      },
    },
  });
}

/** From now on everything is encrypted with a new key. */
export async function changeKey({ keys }: Setting): Promise<void> {
  const kids = await addKey(keys);
  await putFirst(keys, kids.at(-1)!);
}

async function mountDisk(site: Site): Promise<SmallDisk> {
  const path = `${site.directory}/disk`;
  await Deno.mkdir(path);
  const disk = site.ends.use(await SmallDisk.mount(path));
  site.ends.defer(async () => {
    if (site.isKept) await disk.save(`${path}-copy`);
  });
  return disk;
}

function addPublisher(
  { site, keys, endpoint, wakeUps }: Setting,
  name: string,
  { server, chance, disk, env }: {
    readonly server: string;
    readonly chance: Chance;
    readonly disk?: SmallDisk;
    readonly env?: Readonly<Record<string, string>>;
  },
): void {
  const config: Config = {
    server,
    store: site.bucket.url,
    s3: { ...site.bucket.s3, endpoint },
    state: `${disk?.path ?? site.directory}/${server}.db`,
    publishTimeout: "2s",
    stopTimeout: "2s",
    wake: { peers: wakeUps.map(({ peer }) => peer), secret: SECRET },
    encryption: { keys },
  };
  const own = new Chance(chance.whole(1, 2 ** 31));
  site.addPublisher(name, { config, disk, env, chance: own, habits: HABITS });
}
