// What happens when everything is there.

function follow() {
  pickFromAddress();
  viewer?.load();
  const target = document.getElementById(readAddress().section);
  if (!target) return;
  for (let around = target; around; around = around.parentElement) if (around.tagName === "DETAILS") around.open = true;
  target.scrollIntoView();
  if (!target.hasAttribute("tabindex")) target.tabIndex = -1;
  target.focus({ preventScroll: true }); // the next Tab goes on from there
}

// Links within the page keep what was picked.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  const { values } = readAddress();
  if (!link || !values.size || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const wanted = `#${address(decode(link.hash.slice(1)), values)}`;
  if (wanted === location.hash) follow();
  else location.hash = wanted;
});

for (const section of document.querySelectorAll("main section[id]")) {
  const title = section.querySelector("h2");
  title.append(make("a", { class: "anchor", href: `#${section.id}`, "aria-label": `Link to: ${title.textContent}` }, "#"));
}

window.addEventListener("hashchange", follow);
follow();

// A printed page shows what is folded, too.
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("main details:is(.on-paper, :not(.stills, .behind))")) details.open = true;
});
