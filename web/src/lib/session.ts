/** The session of this page: a one-time start link becomes a cookie and a CSRF value. */

export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

/** The server knows no session of this browser. */
export class NoSession extends Error {}

/** The program refused, or did not answer; the message is a sentence for the user. */
export class Refused extends Error {}

const JSON_BODY = { "Content-Type": "application/json" };

/** The one-time code in `#code=...`, or null. */
export function codeOf(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#/, "")).get("code");
}

/**
 * Exchange the code, or find the session of the cookie; returns the CSRF value.
 * Throws NoSession when neither holds, Error when the server answers something else.
 */
export async function openSession(fetch: Fetch, code: string | null): Promise<string> {
  if (code !== null) {
    const opened = await fetch("api/v1/session", {
      method: "POST",
      headers: JSON_BODY,
      body: JSON.stringify({ code }),
    });
    if (opened.ok) return textOf(await opened.json(), "csrf");
  }
  return textOf(await answer(await fetch("api/v1/session")), "csrf");
}

/** A single-use code that opens one socket. Throws NoSession when the session is gone. */
export async function socketCode(fetch: Fetch, csrf: string): Promise<string> {
  return textOf(await answer(await fetch("api/v1/socket-code", change(csrf, "POST", {}))), "code");
}

/** Ask the program to change something; returns its sentence. Throws Refused. */
export async function command(
  fetch: Fetch,
  csrf: string,
  method: "POST" | "DELETE",
  path: string,
  body: object,
): Promise<string> {
  return textOf(await answered(fetch, path, change(csrf, method, body)), "text");
}

/** Read something of the program. Throws Refused. */
export function read(fetch: Fetch, path: string, signal?: AbortSignal): Promise<unknown> {
  return answered(fetch, path, signal === undefined ? {} : { signal });
}

function change(csrf: string, method: string, body: object): RequestInit {
  return {
    method,
    headers: { ...JSON_BODY, "X-Ticktick-Csrf": csrf },
    body: JSON.stringify(body),
  };
}

async function answered(fetch: Fetch, path: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(path, init).catch((error: unknown) => {
    if (init.signal?.aborted === true) throw error;
    throw new Refused("The program does not answer.");
  });
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body;
  throw new Refused(sentenceOf(body) ?? `The program answered ${response.status}.`);
}

/** The sentence of an answer that is not a success, with the id under which the log has it. */
function sentenceOf(body: unknown): string | null {
  if (typeof body !== "object" || body === null) return null;
  const [error, id] = [Reflect.get(body, "error"), Reflect.get(body, "error_id")] as unknown[];
  if (typeof error !== "string") return null;
  const sentence = `${error.charAt(0).toUpperCase()}${error.slice(1)}`;
  return typeof id === "string" ? `${sentence} (${id})` : sentence;
}

async function answer(response: Response): Promise<unknown> {
  if (response.status === 401 || response.status === 403) throw new NoSession();
  if (!response.ok) throw new Error(`the program answered ${response.status}`);
  return response.json();
}

function textOf(body: unknown, name: string): string {
  const value = typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
  if (typeof value !== "string") throw new Error(`the program's answer holds no ${name}`);
  return value;
}
