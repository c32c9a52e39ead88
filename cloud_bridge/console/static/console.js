// Fetches the page's inside again when the core says that something changed. Without it, reload the page.
const page = document.getElementById("page");
const stale = document.getElementById("stale");
let due = false;
let asked = 0;

async function refresh() {
  if (due) return;
  due = true;
  await new Promise((done) => setTimeout(done, 150)); // many changes in one go are one refresh
  due = false;
  const mine = ++asked;
  try {
    const answer = await fetch(location.href, { headers: { "X-Requested-With": "fetch" } });
    if (answer.redirected) location.reload(); // the session has ended: the door says so
    const html = await answer.text();
    if (mine !== asked) return; // a newer one is on its way
    if (answer.ok && !answer.redirected) show(html);
    stale.hidden = answer.ok;
  } catch {
    stale.hidden = false;
  }
}

function show(html) {
  const links = () => [...page.querySelectorAll("a, button, input")];
  const focused = document.activeElement?.href;
  page.innerHTML = html;
  if (focused) links().find((one) => one.href === focused)?.focus({ preventScroll: true });
}

const stream = new EventSource("/live");
stream.addEventListener("changed", refresh);
stream.addEventListener("open", refresh);
stream.addEventListener("error", () => { stale.hidden = false; });
