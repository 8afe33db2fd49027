// The page reads well without this. It marks the section in view, opens all code, copies and sorts tables, switches colours.
(() => {
  const root = document.documentElement;
  // What the script says, in the language of the page.
  const spoken = JSON.parse(root.dataset.words || "{}");
  const say = (text) => spoken[text] || text;
  const button = (text, className, onclick) =>
    Object.assign(document.createElement("button"), { type: "button", textContent: text, className, onclick });

  // Colours: the system's, or the reader's own choice, which this browser keeps if it may.
  const THEMES = ["auto", "light", "dark"];
  const stored = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const paint = (theme) => (theme === "auto" ? delete root.dataset.theme : (root.dataset.theme = theme));
  let theme = THEMES.includes(stored()) ? stored() : "auto";
  paint(theme); // before the first line is drawn
  const themeButton = () => {
    const made = button(say(`Colours: ${theme}`), "theme", () => {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      paint(theme);
      made.textContent = say(`Colours: ${theme}`);
      try { localStorage.setItem("theme", theme); } catch { /* a private window keeps nothing */ }
    });
    return made;
  };

  // The contents stand open beside the text, and closed above it where there is no room beside.
  const follow = () => {
    const contents = document.querySelector(".contents");
    if (!contents) return;
    const beside = matchMedia("(min-width: 62.01rem)");
    const fit = () => (contents.open = beside.matches);
    beside.addEventListener("change", fit);
    fit();
    contents.addEventListener("click", (e) => e.target.closest("a") && fit());
    const side = document.querySelector(".side");
    const links = new Map([...contents.querySelectorAll("a")].map((a) => [decodeURIComponent(a.hash.slice(1)), a]));
    const heads = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
    const mark = () => {
      const passed = heads.filter((h) => h.getBoundingClientRect().top < innerHeight * 0.3);
      const atEnd = innerHeight + scrollY >= root.scrollHeight - 2;
      const here = atEnd && scrollY > 0 ? heads.at(-1) : passed.at(-1);
      links.forEach((a, id) => (here && id === here.id ? a.setAttribute("aria-current", "true") : a.removeAttribute("aria-current")));
      const current = here && beside.matches && links.get(here.id);
      if (current) {
        const [box, own] = [side.getBoundingClientRect(), current.getBoundingClientRect()];
        if (own.bottom > box.bottom || own.top < box.top) side.scrollTop += own.top - box.top - box.height / 2;
      }
    };
    addEventListener("scroll", mark, { passive: true });
    mark();
  };

  const codeButton = (blocks) => {
    const made = button(say("Show all code"), "all-code", () => {
      const open = made.getAttribute("aria-pressed") !== "true";
      blocks.forEach((d) => (d.open = open));
      made.setAttribute("aria-pressed", String(open));
      made.textContent = open ? say("Hide all code") : say("Show all code");
    });
    made.setAttribute("aria-pressed", "false");
    return made;
  };

  // A table as text with tabs, which every spreadsheet takes: its numbers as in the CSV; for a word processor also as a table.
  const plain = (text) => text.replace(/(\d)\u202f(?=\d)/g, "$1").replace(/(\d)\u00b7(?=\d)/g, "$1.");
  const words = (cell) => plain(cell.innerText.trim()).replace(/\s*[\n\t]\s*/g, cell.tagName === "TD" ? "; " : ", ");
  const tabbed = (table) => [...table.rows].map((row) => [...row.cells].map(words).join("\t")).join("\n");
  const copied = async (table) => {
    const kinds = { "text/plain": tabbed(table), "text/html": table.outerHTML };
    const blobs = Object.entries(kinds).map(([type, text]) => [type, new Blob([text], { type })]);
    try {
      await navigator.clipboard.write([new ClipboardItem(Object.fromEntries(blobs))]);
      return true;
    } catch { /* an old browser, or permission refused */ }
    const area = Object.assign(document.createElement("textarea"), { value: kinds["text/plain"], className: "hidden" });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  const copyButton = (table, status) => {
    const made = button(say("Copy"), "copy", async () => {
      const done = await copied(table);
      made.focus();
      if (!done) getSelection().selectAllChildren(table);
      status.textContent = made.firstChild.data = done ? say("Copied") : say("Selected: press Ctrl+C");
      setTimeout(() => (made.firstChild.data = say("Copy")), 3000);
    });
    const of = Object.assign(document.createElement("span"), { className: "hidden" });
    of.textContent = ` ${table.caption ? table.caption.textContent : say("table")}`;
    made.append(of);
    return made;
  };

  // A table is sorted by the head of a column; what has no number stands last, whichever way.
  const sortBy = (head) => {
    const body = head.closest("table").tBodies[0];
    const cell = (row) => row.cells[head.cellIndex];
    const made = button(head.textContent, "", () => {
      const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      const worth = (row) => (Number.isNaN(Number(cell(row).dataset.key)) ? Infinity : way * Number(cell(row).dataset.key));
      const numbers = [...body.rows].some((row) => cell(row).dataset.key);
      const order = (a, b) => (numbers ? worth(a) - worth(b) || 0 : way * cell(a).textContent.localeCompare(cell(b).textContent));
      body.append(...[...body.rows].sort(order));
      head.parentElement.querySelectorAll("[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
    });
    head.replaceChildren(made);
  };

  // A long table shows only rows that hold every word typed.
  const filterOf = (table, status) => {
    const field = Object.assign(document.createElement("input"), { type: "search" });
    const label = Object.assign(document.createElement("label"), { className: "filter", textContent: `${say("Show rows with")} ` });
    field.addEventListener("input", () => {
      const asked = field.value.toLowerCase().split(/\s+/);
      const rows = [...table.tBodies[0].rows];
      rows.forEach((row) => (row.hidden = !asked.every((word) => row.textContent.toLowerCase().includes(word))));
      status.textContent = say("{shown} of {all} rows").replace("{shown}", rows.filter((row) => !row.hidden).length).replace("{all}", rows.length);
    });
    label.append(field);
    table.closest(".table").before(label);
  };

  addEventListener("DOMContentLoaded", () => {
    const controls = document.querySelector(".controls");
    const blocks = [...document.querySelectorAll("details.code")];
    if (blocks.length) controls.append(codeButton(blocks));
    controls.append(themeButton());
    const status = Object.assign(document.createElement("p"), { className: "hidden" });
    status.setAttribute("role", "status");
    controls.append(status);
    document.querySelectorAll(".table + .tools").forEach((tools) => {
      const table = tools.previousElementSibling.querySelector("table");
      if (table) tools.prepend(copyButton(table, status));
    });
    // A figure that is moved sideways on a narrow screen is reached by keyboard, as tables are.
    const reach = () => document.querySelectorAll(".paper").forEach((p) => (p.tabIndex = p.scrollWidth > p.clientWidth ? 0 : -1));
    addEventListener("resize", reach);
    reach();
    document.querySelectorAll(".sortable thead th").forEach(sortBy);
    document.querySelectorAll(".sortable").forEach((table) => filterOf(table, status));
    follow();
  });
})();
