"use strict";

// What a cell sorts by: the number that it begins with, else its text. Cells without a value come last either way.
function sortKey(cell) {
  if (!cell) return null;
  const copy = cell.cloneNode(true);
  for (const small of copy.querySelectorAll("small")) small.remove();
  const text = copy.textContent.trim();
  if (text === "" || text === "–" || text.startsWith("failed")) return null;
  const number = text.replace(/\u2212/g, "-").replace(/[\u202f\u00a0,](?=\d{3})/g, "").match(/^[+-]?(\d+\.?\d*(e[+-]?\d+)?|∞)/i);
  if (!number) return text.toLowerCase();
  return number[0].includes("∞") ? (number[0].startsWith("-") ? -Infinity : Infinity) : Number(number[0]);
}

function compareKeys(a, b, down) {
  if (a === null || b === null) return (a === null) - (b === null);
  const order = typeof a === "number" && typeof b === "number" ? a - b || 0
    : typeof a === typeof b ? a.localeCompare(b) : typeof a === "number" ? -1 : 1;
  return down ? -order : order;
}

// The next state of a column: first the way that puts the best on top, then the other, then as it was.
function nextOrder(current, downFirst) {
  const orders = downFirst ? ["descending", "ascending", "none"] : ["ascending", "descending", "none"];
  return orders[(orders.indexOf(current || "none") + 1) % 3];
}

function setOrder(header, order) {
  for (const th of header.parentElement.children) {
    if (th !== header) th.removeAttribute("aria-sort");
  }
  if (order === "none") header.removeAttribute("aria-sort");
  else header.setAttribute("aria-sort", order);
}

(() => {
  function rowsInBlocks(body) {
    const blocks = [[]];
    for (const row of body.rows) {
      if (row.classList.contains("controls-head")) blocks.push([]);
      blocks.at(-1).push(row);
    }
    return blocks;
  }

  function makeSortable(table) {
    const body = table.tBodies[0];
    // controls stay beneath the models, whatever the order
    const original = rowsInBlocks(body);
    for (const header of table.tHead.rows[0].cells) {
      const name = (header.firstChild?.textContent || "").trim();
      if (!name) continue;
      const button = element("button", { type: "button", class: "sort" });
      button.append(...header.childNodes);
      header.append(button);
      header.setAttribute("scope", "col");
      button.addEventListener("click", () => {
        const order = nextOrder(header.getAttribute("aria-sort"), name.endsWith("↑"));
        setOrder(header, order);
        const column = header.cellIndex;
        for (const block of original) {
          const head = block.filter((row) => row.classList.contains("controls-head"));
          const rows = block.filter((row) => !row.classList.contains("controls-head"));
          if (order !== "none") {
            const keys = new Map(rows.map((row) => [row, sortKey(row.cells[column])]));
            rows.sort((a, b) => compareKeys(keys.get(a), keys.get(b), order === "descending"));
          }
          body.append(...head, ...rows);
        }
        say(order === "none" ? "In the report's order" : `Sorted by ${name}, ${order}`);
      });
    }
    table.classList.add("sortable");
  }

  for (const table of document.querySelectorAll("main .scroll > table[class^='from-']")) {
    if (table.tBodies[0]?.rows.length > 1) makeSortable(table);
  }

  // What a number's link leads to is said when it is asked for: said in every cell, it would be most of the page.
  function name(event) {
    const link = event.target.closest?.("td > a");
    if (!link || link.title) return;
    const cell = link.parentElement;
    const head = cell.closest("table").tHead.rows[0].cells[cell.cellIndex];
    const said = [cell.parentElement.cells[0], head].map((one) => one.innerText.split("\n")[0].trim());
    link.title = `Record of: ${said.join(", ")}`;
  }
  for (const kind of ["pointerover", "focusin"]) document.querySelector("main").addEventListener(kind, name);
})();
