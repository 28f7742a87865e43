// What happens when everything is there.

function follow() {
  pickFromAddress();
  const target = document.getElementById(readAddress().section);
  if (!target) return;
  for (let around = target; around; around = around.parentElement) if (around.tagName === "DETAILS") around.open = true;
  target.scrollIntoView();
}
window.addEventListener("hashchange", follow);
follow();

// A printed page shows what is folded, too.
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("main details:not(.stills, .behind)")) details.open = true;
});
