/**
 * Answers with the files of the page.
 *
 * @module
 */
/** Nothing but files of this origin, no markup made by scripts, and no page around this one. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const HEADERS = {
  "Content-Security-Policy": POLICY,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
};

/** An answer with a file of the page. */
export function pageResponse(text: string, type: string): Response {
  return new Response(text, { headers: { ...HEADERS, "Content-Type": `${type}; charset=utf-8` } });
}
