"use strict";

function numberText(value, metric) {
  if (value === null || value === undefined) return "–";
  const number = Number(value);
  if (!Number.isFinite(number)) return number > 0 ? "∞" : "−∞";
  return number.toFixed(metric.decimals).replace("-", "−");
}

// The list of clips and each model's worst and best; `open` is told the clip that is chosen.
function makeList(open) {
  const list = document.getElementById("clip-list");
  const extremes = document.getElementById("extremes");
  let board = null;
  let metric = 0;
  let clips = [];
  let current = null;
  let order = { column: 0, way: "none" };

  const valueOf = (clip, system) => {
    const value = clip.values[system] === null ? null : clip.values[system][metric];
    return value === null || value === undefined ? null : Number(value);
  };

  function opener(clip, text) {
    if (!clip.play) return document.createTextNode(text);
    const button = element("button", { type: "button", class: "open", "aria-pressed": String(clip === current) }, text);
    button.clip = clip;
    button.addEventListener("click", () => open(clip, true));
    return button;
  }

  function columns() {
    const found = [
      { name: "Clip", key: (clip) => clip.id.toLowerCase() },
      { name: "Speaker", key: (clip) => clip.speaker.toLowerCase() || null },
      { name: "Frames", key: (clip) => clip.frames, number: true },
    ];
    const chosen = board.metrics[metric];
    if (chosen) {
      board.systems.forEach((system, i) => found.push({
        name: system.label,
        about: `${chosen.title}${chosen.higher ? " ↑" : " ↓"}${chosen.unit ? ` ${chosen.unit}` : ""}`,
        first: FIRST[chosen.higher ? "higher" : "lower"],
        key: (clip) => valueOf(clip, i),
        number: true,
      }));
    }
    return [...found, { name: "Text", key: (clip) => clip.text.toLowerCase() || null }];
  }

  function drawHead(all) {
    const row = element("tr");
    all.forEach((column, i) => {
      const button = element("button", { type: "button", class: "sort" }, column.name);
      if (column.about) button.append(element("br"), element("small", {}, column.about));
      const header = element("th", { scope: "col", class: column.number ? "number" : null }, button);
      if (i === order.column && order.way !== "none") header.setAttribute("aria-sort", order.way);
      button.addEventListener("click", () => {
        const way = nextOrder(i === order.column ? order.way : "none", column.first || "ascending");
        order = { column: i, way };
        draw();
        list.tHead.rows[0].cells[i].querySelector("button").focus();
        say(way === "none" ? "In the order of their names" : orderText(column.name, way));
      });
      row.append(header);
    });
    list.tHead.replaceChildren(row);
  }

  function drawRow(clip) {
    const row = element("tr", { class: clip === current ? "current" : null });
    row.clip = clip;
    row.append(element("th", { scope: "row" }, opener(clip, clip.id)));
    row.append(element("td", {}, clip.speaker || "–"), element("td", { class: "number" }, String(clip.frames)));
    if (board.metrics[metric]) {
      board.systems.forEach((system, i) => {
        const text = numberText(valueOf(clip, i), board.metrics[metric]);
        const shown = text === "–" ? text : element("a", { href: `#${system.anchor}` }, text);
        row.append(element("td", { class: "number" }, shown));
      });
    }
    row.append(element("td", { class: "text" }, clip.text || "–"));
    return row;
  }

  function drawExtremes() {
    const chosen = board.metrics[metric];
    document.getElementById("extremes-all").hidden = !chosen;
    if (!chosen) return;
    document.getElementById("extremes-title").textContent = `Worst and best clips by ${chosen.title}`;
    const rows = board.systems.map((system, i) => {
      const valued = clips.filter((clip) => valueOf(clip, i) !== null);
      valued.sort((a, b) => (valueOf(a, i) - valueOf(b, i)) * (chosen.higher ? 1 : -1) || a.id.localeCompare(b.id));
      const some = Math.min(3, Math.ceil(valued.length / 2));
      const cells = [valued.slice(0, some), valued.slice(valued.length - some).reverse()].map((found) => {
        const cell = element("td");
        found.forEach((clip) => {
          const link = element("a", { href: `#${system.anchor}` }, numberText(valueOf(clip, i), chosen));
          const value = element("span", { class: "value" }, link);
          cell.append(element("span", { class: "pick" }, opener(clip, clip.id), " ", value), " ");
        });
        if (!found.length) cell.append("–");
        return cell;
      });
      return element("tr", {}, element("th", { scope: "row" }, system.label), ...cells);
    });
    extremes.tBodies[0].replaceChildren(...rows);
  }

  function draw() {
    const all = columns();
    const column = all[Math.min(order.column, all.length - 1)];
    const sorted = [...clips];
    if (order.way !== "none") sortRows(sorted, column.key, order.way);
    drawHead(all);
    list.tBodies[0].replaceChildren(...sorted.map(drawRow));
    const playable = clips.filter((clip) => clip.play).length;
    const played = playable ? `${playable} of them can be played: their names are buttons.`
      : board.unplayed ? `none can be played: ${board.unplayed}.` : "none of these can be played.";
    document.getElementById("list-count").textContent = `${clips.length} of ${board.clips.length} clips listed; ${played}`;
  }

  return {
    show(chosenBoard, chosenMetric, chosenClips) {
      if (board !== chosenBoard) order = { column: 0, way: "none" };
      board = chosenBoard;
      metric = chosenMetric;
      clips = chosenClips;
      drawExtremes();
      draw();
    },
    mark(clip) {
      current = clip;
      for (const row of list.tBodies[0].rows) row.classList.toggle("current", row.clip === clip);
      for (const button of document.querySelectorAll("#clips-section button.open")) {
        button.setAttribute("aria-pressed", String(button.clip === clip));
      }
    },
  };
}
