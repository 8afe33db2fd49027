// The page reads well without this: it marks the section in view, and opens all code at once.
(() => {
  const links = new Map([...document.querySelectorAll(".toc a")].map((a) => [decodeURIComponent(a.hash.slice(1)), a]));
  const heads = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  const mark = () => {
    const passed = heads.filter((h) => h.getBoundingClientRect().top < innerHeight * 0.3);
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const here = atEnd && scrollY > 0 ? heads.at(-1) : passed.at(-1);
    links.forEach((a, id) => (here && id === here.id ? a.setAttribute("aria-current", "true") : a.removeAttribute("aria-current")));
  };
  addEventListener("scroll", mark, { passive: true });
  mark();

  const blocks = [...document.querySelectorAll("details.code")];
  if (!blocks.length) return;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "all-code", textContent: "Show all code" });
  button.setAttribute("aria-pressed", "false");
  button.onclick = () => {
    const open = button.getAttribute("aria-pressed") !== "true";
    blocks.forEach((d) => (d.open = open));
    button.setAttribute("aria-pressed", String(open));
    button.textContent = open ? "Hide all code" : "Show all code";
  };
  document.querySelector("nav.side").append(button);
})();
