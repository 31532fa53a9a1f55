/**
 * The reference in docs/api.md, made of the routes and schemas:
 *
 *     deno run -A tests/api/reference.ts
 *
 * @module
 */
import { join } from "node:path";
import { openApi } from "../../lib/api/openapi.ts";
import type { Route } from "../../lib/api/route.ts";
import { ROUTES } from "../../lib/api/routes.ts";

/** The page that holds it. */
export const PAGE = join(import.meta.dirname!, "..", "..", "docs", "api.md");

const BEGIN = "<!-- reference -->\n", END = "<!-- end of the reference -->";

/** The page with an up-to-date reference. */
export function withReference(page: string): string {
  const begin = page.indexOf(BEGIN) + BEGIN.length, end = page.indexOf(END);
  return page.slice(0, begin) + reference() + page.slice(end);
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

function reference(): string {
  const { components } = openApi(ROUTES, "") as unknown as {
    components: { schemas: Record<string, Schema> };
  };
  const requests = [
    "| request | does | answers |",
    "|---|---|---|",
    ...ROUTES.map((route) =>
      `| \`${route.method.toUpperCase()} ${route.path}\` | ${route.summary} | ${answers(route)} |`
    ),
  ];
  const queries = ROUTES.filter(({ query }) => query).map((route) => {
    const { parameters } = (openApi([route], "").paths as never)[route.path][route.method] as {
      parameters: { in: string; name: string; required: boolean; description?: string }[];
    };
    const rows = parameters.filter(({ in: place }) => place === "query").map((parameter) =>
      `| \`${parameter.name}\`${parameter.required ? " (required)" : ""} | ${
        parameter.description ?? ""
      } |`
    );
    const title = `Query of \`${route.method.toUpperCase()} ${route.path}\``;
    return [`${title}:`, "", "| parameter | meaning |", "|---|---|", ...rows].join("\n");
  });
  const bodies = Object.entries(components.schemas).filter(([, { properties }]) => properties)
    .map(([name, { properties, required = [] }]) => {
      const rows = Object.entries(properties!).map(([field, schema]) =>
        `| \`${field}\`${required.includes(field) ? "" : "?"} | ${typeOf(schema)} | ${
          schema.description ?? ""
        } |`
      );
      return [`\`${name}\`:`, "", "| member | type | meaning |", "|---|---|---|", ...rows].join(
        "\n",
      );
    });
  return [requests.join("\n"), ...queries, ...bodies].map((part) => `\n${part}\n`).join("") + "\n";
}

function answers({ answers, errors = {} }: Route): string {
  const told = (entries: [string, string][]) =>
    entries.map(([status, text]) => `${status}: ${text[0].toLowerCase()}${text.slice(1)}`);
  return [
    ...told(Object.entries(answers).map(([status, { description }]) => [status, description])),
    ...told(Object.entries(errors)),
  ].join("; ");
}

function typeOf({ $ref, type, enum: values, const: only, anyOf, items }: Schema): string {
  if ($ref) return `\`${$ref.split("/").at(-1)}\``;
  if (values) return values.map((value) => `\`${JSON.stringify(value)}\``).join(", ");
  if (only !== undefined) return `\`${JSON.stringify(only)}\``;
  if (anyOf) return anyOf.map(typeOf).join(" or ");
  if (type === "array") return `array of ${typeOf(items!)}`;
  return type ?? "any";
}

if (import.meta.main) await Deno.writeTextFile(PAGE, withReference(await Deno.readTextFile(PAGE)));
