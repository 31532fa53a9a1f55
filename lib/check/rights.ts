/**
 * Checks the rights, one by one.
 *
 * @module
 */
import { AccessDeniedError } from "../errors.ts";
import { PROBE_KEY } from "../log/names.ts";
import { type Finding, ok, unchecked, warning, wrong } from "./finding.ts";
import type { Answer, Probe } from "./probe.ts";
import type { Subject } from "./subject.ts";

/** A right: what it is called in docs/credentials.md, and by AWS. */
interface Right {
  readonly name: "List" | "Read" | "Write" | "Delete";
  readonly action: string;
  /** What shows it; undefined if it could not be tried. */
  answerIn(probe: Probe): Answer | undefined;
  /** What cannot be done without it. */
  readonly loss: string;
}

const RIGHTS: readonly Right[] = [
  {
    name: "List",
    action: "s3:ListBucket",
    answerIn: ({ list }) => list,
    loss: "nothing that others publish is found",
  },
  {
    name: "Write",
    action: "s3:PutObject",
    answerIn: ({ put }) => put,
    loss: "nothing can be published, nor does `status` show this server",
  },
  {
    name: "Read",
    action: "s3:GetObject",
    answerIn({ other, get, before, list }) {
      // Who may not list is refused objects that are not there.
      const absent = before?.error && list.error ? undefined : before;
      const answers = [other, get ?? absent].filter((answer) => answer !== undefined);
      return answers.find(({ error }) => error) ?? answers[0];
    },
    loss: "nothing that others publish can be read",
  },
  {
    name: "Delete",
    action: "s3:DeleteObject",
    answerIn: ({ deleted }) => deleted,
    loss: "this server cannot clean up; at least one must",
  },
];

/** Checks each right. */
export function* checkRights(
  { probe, store }: Pick<Subject, "probe" | "store">,
): Iterable<Finding> {
  const isBucket = store!.url.startsWith("s3:");
  for (const right of RIGHTS) {
    const name = right.name.toLowerCase(), answer = right.answerIn(probe);
    if (!answer) yield unchecked(`the right to ${name}`, "nothing can be listed or written");
    else if (!answer.error) yield ok(`The right to ${name} is given`);
    else if (!(answer.error instanceof AccessDeniedError)) yield wrong(answer.error);
    else yield missing(right, answer.error, { isBucket, isLeft: !probe.put?.error });
  }
}

/** Without the right to delete, a server publishes and reads nevertheless. */
function missing(
  { name, action, loss }: Right,
  error: AccessDeniedError,
  { isBucket, isLeft }: { readonly isBucket: boolean; readonly isLeft: boolean },
): Finding {
  const right = name.toLowerCase() + (isBucket ? ` (${action})` : "");
  const advice = `Without the right to ${right}, ${loss}`;
  if (name !== "Delete") return wrong(error, advice);
  const left = isLeft ? `. The object "${PROBE_KEY}" is left there; it does no harm` : "";
  return warning(error.message, advice + left);
}
