/**
 * The feeds that the demo publishes.
 *
 * @module
 */

/** One state of a feed's file. */
export interface Edition {
  /** Title of the newest entry; no character in it is wider than one column of a terminal. */
  readonly headline: string;
  /** The whole file. */
  readonly content: string;
}

/** A feed that changes. */
export interface SampleFeed {
  /** URL of the feed. */
  readonly url: string;
  /** Format of the file. */
  readonly format: string;
  /** The states of its file, in chronological order. */
  readonly editions: readonly Edition[];
}

interface Entry {
  readonly headline: string;
  /** Date in the format of the feed. */
  readonly date: string;
  readonly text: string;
}

/** Makes an edition with the first entry, one with the second above it, and so on. */
function editions(
  [first, ...later]: readonly Entry[],
  render: (entries: string, date: string) => string,
): Edition[] {
  let text = "";
  return [first, ...later].map((entry) => {
    text = entry.text + text;
    return { headline: entry.headline, content: render(text, entry.date) };
  });
}

function item(headline: string, date: string, html: string, enclosure = ""): Entry {
  const text = `    <item>
      <title>${headline}</title>
      <link>https://wetter.example.com/${encodeURIComponent(headline)}</link>
      <guid isPermaLink="false">wetter-${date}</guid>
      <pubDate>${date}</pubDate>
      <description><![CDATA[${html}]]></description>${enclosure}
    </item>
`;
  return { headline, date, text };
}

const weather: SampleFeed = {
  url: "https://wetter.example.com/feed.xml",
  format: "RSS 2.0",
  editions: editions([
    item(
      "Grüße vom Gletscher",
      "Mon, 03 Mar 2025 06:00:00 GMT",
      "<p>−14 °C, klare Sicht &amp; Neuschnee: <b>12 cm</b></p>",
      '\n      <enclosure url="https://wetter.example.com/gletscher.mp3" length="482133" ' +
        'type="audio/mpeg"/>',
    ),
    item(
      "Föhn erreicht das Tal",
      "Mon, 03 Mar 2025 12:00:00 GMT",
      "<p>In drei Stunden von −6 °C auf +11 °C. Nicht jeder mag's: 🤕</p>",
    ),
    item(
      "Lawinengefahr ändert sich",
      "Mon, 03 Mar 2025 15:30:00 GMT",
      "<p>Über 2 000 m jetzt Stufe 4 (&gt; 35° Neigung), darunter 2</p>",
      '\n      <enclosure url="https://wetter.example.com/lage.pdf" length="90817" ' +
        'type="application/pdf"/>',
    ),
    item(
      "Schönes Abendrot",
      "Mon, 03 Mar 2025 18:00:00 GMT",
      "<p>Morgen: Sonne ☀ und 3 °C</p>",
    ),
  ], (entries, date) =>
    `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0">
  <channel>
    <title>Wetterstation Ötztal</title>
    <link>https://wetter.example.com/</link>
    <description>Messwerte &amp; Beobachtungen</description>
    <language>de-AT</language>
    <lastBuildDate>${date}</lastBuildDate>
${entries}    <item>
      <title><![CDATA[Über <uns> & unsere Geräte]]></title>
      <link>https://wetter.example.com/geraete</link>
      <guid isPermaLink="true">https://wetter.example.com/geraete</guid>
      <pubDate>Sat, 01 Mar 2025 09:00:00 GMT</pubDate>
      <description><![CDATA[<p>So misst man: <code>if (t < 0) warn();</code></p>]]></description>
    </item>
  </channel>
</rss>
`),
};

function atomEntry(headline: string, date: string, html: string): Entry {
  const text = `  <entry>
    <id>tag:limani.example.org,2025:${date}</id>
    <title>${headline}</title>
    <updated>${date}</updated>
    <link href="https://limani.example.org/${date.slice(0, 13)}"/>
    <link rel="enclosure" type="image/jpeg" length="203112"
      href="https://limani.example.org/${date.slice(0, 13)}.jpg"/>
    <content type="html"><![CDATA[${html}]]></content>
  </entry>
`;
  return { headline, date, text };
}

const harbour: SampleFeed = {
  url: "https://limani.example.org/atom.xml?lang=el&all=1",
  format: "Atom",
  editions: editions([
    atomEntry("Το πρώτο πλοίο", "2025-03-03T05:20:00Z", "<p>Από την Αίγινα, στις 7:20</p>"),
    atomEntry("Ισχυροί άνεμοι", "2025-03-03T10:05:00Z", "<p>8 Bft &amp; <em>απαγορευτικό</em></p>"),
    atomEntry("Όλα ήρεμα ξανά", "2025-03-03T16:45:00Z", "<p>Τα πλοία σαλπάρουν ⛴️</p>"),
  ], (entries, date) =>
    `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="el">
  <id>tag:limani.example.org,2025:feed</id>
  <title>Νέα από το λιμάνι</title>
  <updated>${date}</updated>
  <author><name>Ελένη Παπαδοπούλου</name></author>
  <link rel="self" href="https://limani.example.org/atom.xml?lang=el&amp;all=1"/>
${entries}  <entry>
    <id>tag:limani.example.org,2025:start</id>
    <title type="html"><![CDATA[Καλώς ήρθατε <em>όλοι</em>]]></title>
    <updated>2025-03-01T08:00:00Z</updated>
    <link href="https://limani.example.org/start"/>
    <summary>Καφές, δίκτυα και καράβια</summary>
  </entry>
</feed>
`),
};

function episode(headline: string, date: string, html: string, seconds: number): Entry {
  const text = `    {
      "id": "hvezdy-${date}",
      "url": "https://hvezdy.example.net/${date.slice(0, 10)}",
      "title": "${headline}",
      "content_html": "${html}",
      "date_published": "${date}",
      "attachments": [
        {
          "url": "https://hvezdy.example.net/${date.slice(0, 10)}.opus",
          "mime_type": "audio/ogg",
          "duration_in_seconds": ${seconds}
        }
      ]
    },
`;
  return { headline, date, text };
}

const stars: SampleFeed = {
  url: "https://hvezdy.example.net/feed.json",
  format: "JSON Feed",
  editions: editions([
    episode(
      "Žlutý trpaslík",
      "2025-03-03T19:00:00Z",
      '<p>Naše Slunce má \\"jen\\" 5 700 K</p>',
      1815,
    ),
    episode("Příběh komety", "2025-03-04T19:00:00Z", "<p>彗星 – vlasatice\\n☄ se vrací</p>", 2410),
    episode("Černá díra mlčí", "2025-03-05T19:00:00Z", "<p>ブラックホール &lt;3</p>", 1999),
  ], (entries) =>
    `{
  "version": "https://jsonfeed.org/version/1.1",
  "title": "Hvězdy nad Šumavou",
  "home_page_url": "https://hvezdy.example.net/",
  "feed_url": "https://hvezdy.example.net/feed.json",
  "language": "cs",
  "items": [
${entries}    {
      "id": "hvezdy-0",
      "url": "https://hvezdy.example.net/0",
      "title": "Než začneme 🔭",
      "content_text": "Oči si na tmu zvykají dvacet minut.",
      "date_published": "2025-03-01T19:00:00Z"
    }
  ]
}
`),
};

/** An RSS 2.0, an Atom and a JSON feed, each with several entries. */
export const sampleFeeds = { weather, harbour, stars } as const;
