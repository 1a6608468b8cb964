/** The session of this page: a one-time start link becomes a cookie and a CSRF value. */

export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

/** The server knows no session of this browser. */
export class NoSession extends Error {}

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
  const response = await fetch("api/v1/socket-code", {
    method: "POST",
    headers: { ...JSON_BODY, "X-Ticktick-Csrf": csrf },
    body: "{}",
  });
  return textOf(await answer(response), "code");
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
