// The plain page: opens the session of the start link and shows the watchlist three times a second.

const state = document.getElementById("state");
const rows = document.getElementById("rows");
const rupees = new Intl.NumberFormat("en-IN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const dash = "–";
// together less than the second within which a silent program makes every price stale
const patienceMs = 600;
const pauseMs = 300;

async function openSession() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code === null) return;
  history.replaceState(null, "", location.pathname);
  await fetch("/api/v1/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
}

async function refresh() {
  try {
    const answer = await fetch("/api/v1/status", { signal: AbortSignal.timeout(patienceMs) });
    if (answer.status === 401) {
      lost("No session. Open the start link printed in the terminal.");
    } else if (!answer.ok) {
      lost(`The server answered ${answer.status}.`);
    } else {
      show(await answer.json());
    }
  } catch {
    lost("Tick-Tick does not answer. Is it still running?");
  }
  setTimeout(refresh, pauseMs);
}

function show(status) {
  const clock = new Date(status.server_time_ms).toLocaleTimeString("en-IN", {
    timeZone: "Asia/Kolkata",
    hour12: false,
  });
  const feed = status.feed.up ? "feed up" : `feed down: ${status.feed.reason}`;
  state.textContent = `${status.mode} · ${clock} IST · ${feed} · ${status.feed.fresh}/${status.feed.total} fresh`;
  rows.replaceChildren(...status.symbols.map(row));
}

function row(symbol) {
  const line = document.createElement("tr");
  line.className = symbol.freshness === "fresh" || symbol.freshness === "closed" ? "" : "old";
  line.replaceChildren(
    ...[
      symbol.symbol,
      price(symbol.last_price),
      signed(symbol.change),
      percent(symbol.change_fraction),
      price(symbol.spread),
      price(symbol.vwap),
      symbol.imbalance === null ? dash : symbol.imbalance.toFixed(2),
      symbol.age_ms === null ? dash : `${(symbol.age_ms / 1000).toFixed(1)} s`,
      symbol.freshness,
    ].map(cell),
  );
  return line;
}

function cell(text) {
  const found = document.createElement("td");
  found.textContent = text;
  return found;
}

function price(value) {
  return value === null ? dash : rupees.format(value);
}

function signed(value) {
  if (value === null) return dash;
  const arrow = value > 0 ? "▲ +" : value < 0 ? "▼ " : "";
  return arrow + rupees.format(value);
}

function percent(fraction) {
  return fraction === null ? dash : `${(fraction * 100).toFixed(2)} %`;
}

// Prices that nobody vouches for any more look old, all of them, at once.
function lost(sentence) {
  state.textContent = sentence;
  for (const line of rows.children) {
    line.className = "old";
    line.lastChild.textContent = "stale";
  }
}

await openSession();
await refresh();
