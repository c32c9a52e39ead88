// Keeps the page fresh and sends forms without leaving it. Without this file the page works by plain forms.
const live = document.querySelector("[data-live]");
const gone = document.getElementById("gone");
const refused = document.getElementById("refused");
const spoken = document.getElementById("spoken"); // stays in its place, so that a reader of screens hears it
let pressing = false;
let missed = false;
let asked = 0;

// A box without power must not look alive: say so, and take no presses.
function answers(yes) {
  gone.hidden = yes;
  live.inert = !yes;
}

// A figure must not be taken from under the fingers, nor a button between finger down and finger up.
function busy() {
  const field = document.activeElement;
  const typing = live.contains(field) && field.matches("input") && field.value !== "";
  missed ||= typing || pressing;
  return typing || pressing;
}

async function refresh() {
  if (busy()) return;
  const mine = ++asked;
  try {
    const answer = await fetch(live.dataset.live);
    if (!answer.ok) return;
    const fresh = await answer.text();
    answers(true);
    if (mine !== asked) return; // asked again meanwhile: this one is older, and may show a sale that is gone
    if (busy()) return; // somebody began while the answer was on its way
    const before = live.querySelector(".said .first")?.textContent;
    const buttons = () => [...live.querySelectorAll("button, input, a")];
    const focused = buttons().indexOf(document.activeElement);
    const form = document.activeElement.closest?.("form")?.action;
    const scrolled = live.querySelector(".past")?.scrollTop ?? 0;
    live.innerHTML = fresh;
    live.querySelector(".past")?.scrollTo(0, scrolled);
    const again = buttons()[focused]; // who sells by keyboard goes on where they were
    if (again && again.closest("form")?.action === form) again.focus({ preventScroll: true });
    const now = live.querySelector(".said .first")?.textContent;
    if (now !== before) {
      refused.hidden = true; // it was about what stood there before
      window.scrollTo(0, 0);
      spoken.textContent = now ?? "";
    }
  } catch {
    answers(false);
  }
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.dataset.sure && !confirm(form.dataset.sure)) return;
  const body = new URLSearchParams(new FormData(form));
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body, headers: { "X-Requested-With": "fetch" } });
  } catch {
    answers(false);
    return;
  }
  // A press that was not taken keeps its figure, and says why: nobody may think that it was.
  refused.textContent = answer.ok ? "" : (await answer.json()).refused;
  refused.hidden = answer.ok;
  if (answer.ok) form.reset();
  pressing = false;
  if (answer.ok) await refresh();
});
function catchUp() {
  if (!missed) return;
  missed = false;
  refresh();
}

document.addEventListener("focusout", () => setTimeout(catchUp, 300)); // after the press that took the focus
document.addEventListener("pointerdown", () => { pressing = true; });
for (const end of ["pointerup", "pointercancel"]) {
  document.addEventListener(end, () => setTimeout(() => { pressing = false; catchUp(); }, 50));
}

const stream = new EventSource(live.dataset.events);
stream.addEventListener("changed", refresh);
stream.addEventListener("open", refresh);
stream.addEventListener("error", () => answers(false));
