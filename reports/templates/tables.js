"use strict";

// What a cell sorts by: its number, else its text. Cells without a value come last either way.
function sortKey(cell) {
  if (!cell || cell.dataset.sort === "") return null;
  if (cell.dataset.sort !== undefined) return Number(cell.dataset.sort);
  const copy = cell.cloneNode(true);
  for (const small of copy.querySelectorAll("small")) small.remove();
  return copy.textContent.trim().toLowerCase();
}

function compareKeys(a, b, down) {
  if (a === null || b === null) return (a === null) - (b === null);
  const order = typeof a === "number" && typeof b === "number" ? a - b || 0
    : typeof a === typeof b ? a.localeCompare(b) : typeof a === "number" ? -1 : 1;
  return down ? -order : order;
}

// The order that puts a column's better side on top: where 1 is best, "other" is that of the distances from it.
const FIRST = { higher: "descending", lower: "ascending", one: "other" };

// The next state of a column: first the best on top, then the worst, then as it was.
function nextOrder(current, first) {
  const orders = [first, first === "ascending" ? "descending" : first === "descending" ? "ascending" : "other-down", "none"];
  return orders[(orders.indexOf(current || "none") + 1) % 3];
}

function sortRows(rows, key, order) {
  const distance = order.startsWith("other");
  const keys = new Map(rows.map((row) => {
    const found = key(row);
    return [row, distance && typeof found === "number" ? Math.abs(found - 1) : found];
  }));
  const down = order === "descending" || order === "other-down";
  rows.sort((a, b) => compareKeys(keys.get(a), keys.get(b), down));
}

function orderText(name, order) {
  const words = { "other": "nearest to 1 first", "other-down": "farthest from 1 first" };
  return order === "none" ? "In the report's order" : `Sorted by ${name}, ${words[order] || order}`;
}

function setOrder(header, order) {
  for (const th of header.parentElement.children) {
    if (th !== header) { th.removeAttribute("aria-sort"); delete th.dataset.order; }
  }
  header.dataset.order = order;
  if (order === "none") header.removeAttribute("aria-sort");
  else header.setAttribute("aria-sort", order.split("-")[0]);
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
      const name = header.dataset.title;
      const button = element("button", { type: "button", class: "sort" });
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => {
        const order = nextOrder(header.dataset.order, FIRST[header.dataset.better] || "ascending");
        setOrder(header, order);
        const column = header.cellIndex;
        for (const block of original) {
          const head = block.filter((row) => row.classList.contains("controls-head"));
          const rows = block.filter((row) => !row.classList.contains("controls-head"));
          if (order !== "none") sortRows(rows, (row) => sortKey(row.cells[column]), order);
          body.append(...head, ...rows);
        }
        say(orderText(name, order));
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
    const said = [cell.parentElement.cells[0].innerText.split("\n")[0].trim(), head.dataset.title.replace(/\s/g, " ")];
    const caption = cell.closest("table").caption;
    link.title = `Record of: ${said.join(", ")}${caption ? `; ${caption.textContent.trim()}` : ""}`;
  }
  for (const kind of ["pointerover", "focusin"]) document.querySelector("main").addEventListener(kind, name);
})();
