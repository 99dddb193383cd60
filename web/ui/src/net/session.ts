/** Whether this browser may talk to the node; `unreachable` when nobody answers. */
export type Admission = "admitted" | "refused" | "unreachable";

/** Takes the one-time token out of the address, so that it stays in neither history nor bookmarks. */
export function takeLinkToken(location: Location, history: History): string | null {
  const match = /^#link=([0-9a-f]{64})$/.exec(location.hash);
  if (!match) return null;
  history.replaceState(null, "", location.pathname);
  return match[1] ?? null;
}

/** Swaps a one-time token for the session cookie. */
export async function swapToken(token: string): Promise<Admission> {
  return ask({
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
}

/** Whether the session cookie is there and good. */
export async function checkSession(): Promise<Admission> {
  return ask({ method: "GET" });
}

async function ask(init: RequestInit): Promise<Admission> {
  try {
    const answer = await fetch("/api/session", { ...init, cache: "no-store", credentials: "same-origin" });
    if (answer.ok) return "admitted";
    return answer.status === 401 || answer.status === 403 ? "refused" : "unreachable";
  } catch {
    return "unreachable";
  }
}
