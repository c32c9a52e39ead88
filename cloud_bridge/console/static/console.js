// Fetches the page's inside again when the core says that something changed. Without it, reload the page.
const page = document.getElementById("page");
const stale = document.getElementById("stale");
let due = false;
let asked = 0;
let shown = 0;
const said = [...page.querySelectorAll("[data-part]")].map((one) => one.outerHTML);

async function refresh() {
  if (due) return;
  due = true;
  // Many changes in one go are one refresh, and a fleet that changes all the time is looked at once a second.
  await new Promise((done) => setTimeout(done, Math.max(150, shown + 1000 - Date.now())));
  due = false;
  if (isBusy()) return later();
  shown = Date.now();
  const mine = ++asked;
  try {
    const answer = await fetch(location.href, { headers: { "X-Requested-With": "fetch" } });
    if (answer.redirected) location.reload(); // the session has ended: the door says so
    const html = await answer.text();
    if (mine !== asked) return; // a newer one is on its way
    if (isBusy()) return later(); // somebody began while it was on its way
    if (answer.ok && !answer.redirected) {
      show(html);
      tell(Number(answer.headers.get("Tillbox-Alerts")));
    }
    stale.hidden = answer.ok;
  } catch {
    stale.hidden = false;
  }
}

function later() {
  page.addEventListener("focusout", refresh, { once: true });
}

// Whether somebody is filling in a form: it must not be taken out of their hands.
function isBusy() {
  const fields = [...page.querySelectorAll("input:not([type=hidden]), select, textarea")];
  return fields.some((one) => one === document.activeElement || isBegun(one));
}

function isBegun(one) {
  if (one.type === "checkbox") return one.checked !== one.defaultChecked;
  if (one.tagName !== "SELECT") return one.value !== one.defaultValue;
  return one.selectedIndex !== Math.max(0, [...one.options].findIndex((option) => option.defaultSelected));
}

function show(html) {
  if (showParts(html)) return;
  const open = [...page.querySelectorAll("details[open][id]")].map((one) => one.id);
  const links = () => [...page.querySelectorAll("a, button, input")];
  const focused = document.activeElement?.href;
  page.innerHTML = html;
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) links().find((one) => one.href === focused)?.focus({ preventScroll: true });
}

// How many alerts are open stands in the navigation, outside of what is fetched.
function tell(count) {
  const open = document.getElementById("alerts-open");
  open.textContent = count;
  open.hidden = !count;
}

// A page made of parts keeps those that are as they were, and so does not lose its place; true where that could be done.
function showParts(html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const of = (one) => [...one.querySelectorAll("[data-part]")];
  const [old, now] = [of(page), of(fresh.content)];
  if (!now.length || old.length !== now.length) return false;
  old.forEach((one, at) => {
    const same = said[at] === now[at].outerHTML;
    said[at] = now[at].outerHTML;
    if (!same && !exchangeFrame(one, now[at])) one.innerHTML = now[at].innerHTML;
  });
  return true;
}

// A frame goes once the new one is there: the picture does not blink.
function exchangeFrame(part, fresh) {
  const [frame, later] = [part.querySelector("iframe"), fresh.querySelector("iframe")];
  if (!frame || !later) return false;
  later.addEventListener("load", () => { while (later.previousElementSibling) later.previousElementSibling.remove(); });
  part.append(later);
  return true;
}

const stream = new EventSource("/live");
stream.addEventListener("changed", refresh);
stream.addEventListener("open", refresh);
stream.addEventListener("error", () => { stale.hidden = false; });
