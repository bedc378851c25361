// Small comforts; every page works without them.
document.documentElement.classList.add("js");

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const from = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(from.textContent.trim());
    const before = button.textContent;
    button.textContent = "已复制";
    setTimeout(() => { button.textContent = before; }, 1500);
  } catch {
    getSelection().selectAllChildren(from);
  }
});

for (const input of document.querySelectorAll("[data-narrow]")) {
  input.closest("[hidden]")?.removeAttribute("hidden");
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const row of document.querySelectorAll(input.dataset.narrow))
      row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
  });
}

const clock = document.querySelector("[data-ends]");
if (clock) {
  const left = clock.querySelector("b");
  const opened = performance.now();
  const total = Number(clock.dataset.ends);
  const tick = () => {
    const seconds = Math.max(0, Math.round(total - (performance.now() - opened) / 1000));
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    clock.classList.toggle("soon", seconds < 120);
  };
  tick();
  setInterval(tick, 1000);
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
