// The visitor's hands: show codes, pull plugs, pick up paper.
const token = document.body.dataset.token;
const language = document.documentElement.lang;
const send = (path, body) =>
  fetch(`${path}?lang=${language}`, { method: "POST", body, headers: { "X-Counter-Token": token } });

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.plug) {
    button.disabled = true;
    const answer = await send(`/plug/${button.dataset.plug}`);
    button.disabled = false;
    if (!answer.ok) refuse(button.closest("[data-box]") ?? document.querySelector("[data-box]"), (await answer.json()).refused);
    await refresh();
  } else if (button.dataset.show) {
    const box = button.closest("[data-box]");
    const answer = await send(`/show/${box.dataset.box}/${button.dataset.show}`);
    if (answer.ok) held(box, URL.createObjectURL(await answer.blob()));
    else refuse(box, (await answer.json()).refused);
  }
});

document.addEventListener("change", async (event) => {
  if (!event.target.matches("[data-photo]") || !event.target.files[0]) return;
  const box = event.target.closest("[data-box]");
  const file = event.target.files[0];
  const answer = await send(`/photo/${box.dataset.box}`, file);
  if (answer.ok) held(box, URL.createObjectURL(file));
  else refuse(box, (await answer.json()).refused);
  event.target.value = "";
});

function held(box, url) {
  const picture = box.querySelector("[data-seen]");
  picture.src = url;
  picture.hidden = false;
  box.querySelector("[data-refused]").hidden = true;
}

function refuse(box, why) {
  const line = box.querySelector("[data-refused]");
  line.textContent = why;
  line.hidden = false;
}

async function refresh() {
  const answer = await fetch("/state.json");
  if (!answer.ok) return;
  const state = await answer.json();
  for (const [name, on] of Object.entries(state.plugs)) mark(document.querySelector(`[data-plug="${name}"]`), on);
  for (const [device, box] of Object.entries(state.boxes)) {
    const section = document.querySelector(`[data-box="${device}"]`);
    mark(section.querySelector('[data-kind="line"]'), box.line);
    const power = section.querySelector('[data-kind="on"]');
    if (box.on && power.classList.contains("off")) setTimeout(() => { section.querySelector("iframe").src += ""; }, 2500);
    mark(power, box.on);
    section.querySelector("[data-pending]").textContent = box.pending ?? "–";
    lay(section.querySelector("[data-papers]"), device, box.papers);
  }
}

function mark(button, on) {
  button.classList.toggle("off", !on);
  button.setAttribute("aria-pressed", String(on));
}

function lay(papers, device, numbers) {
  const have = new Set([...papers.children].map((one) => Number(one.dataset.number)));
  for (const number of numbers) {
    if (have.has(number)) continue;
    const paper = document.createElement("img");
    paper.dataset.number = number;
    paper.src = `/paper/${device}/${number}.png`;
    paper.alt = `#${number}`;
    papers.prepend(paper);
  }
  while (papers.children.length > 12) papers.lastElementChild.remove();
}

refresh();
setInterval(refresh, 1000);
